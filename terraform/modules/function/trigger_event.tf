# trigger_event.tf - runs the function on events of an EventBridge bus that match a pattern

resource "aws_cloudwatch_event_rule" "event" {
  for_each       = local.triggers.event
  name           = "${local.full_name}-${each.key}"
  description    = "Runs ${local.full_name}"
  event_bus_name = each.value.bus_name
  event_pattern  = each.value.pattern
  tags           = var.tags
}

resource "aws_cloudwatch_event_target" "event" {
  for_each       = local.triggers.event
  arn            = aws_lambda_alias.live.arn
  event_bus_name = each.value.bus_name
  rule           = aws_cloudwatch_event_rule.event[each.key].name
  target_id      = "live"

  dead_letter_config {
    arn = aws_sqs_queue.failures[0].arn
  }

  retry_policy {
    maximum_event_age_in_seconds = each.value.maximum_age_s
    maximum_retry_attempts       = each.value.maximum_retries
  }

  depends_on = [aws_lambda_permission.event]
}

# No source_account: "A SourceAccount setting prevents EventBridge from being able to invoke the function"
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html).
# The rule's ARN includes the account ID.
resource "aws_lambda_permission" "event" {
  for_each      = local.triggers.event
  statement_id  = "event-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.event[each.key].arn
}
