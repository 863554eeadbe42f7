# trigger_schedule.tf - runs the function on a schedule, by an EventBridge rule

resource "aws_cloudwatch_event_rule" "schedule" {
  for_each            = local.triggers.schedule
  name                = "${local.full_name}-${each.key}"
  description         = "Runs ${local.full_name}"
  schedule_expression = each.value.expression
  state               = each.value.enabled ? "ENABLED" : "DISABLED"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "schedule" {
  for_each  = local.triggers.schedule
  arn       = aws_lambda_alias.live.arn
  input     = each.value.input
  rule      = aws_cloudwatch_event_rule.schedule[each.key].name
  target_id = "live"

  dead_letter_config {
    arn = aws_sqs_queue.failures[0].arn
  }

  depends_on = [aws_lambda_permission.schedule]
}

# No source_account: "A SourceAccount setting prevents EventBridge from being able to invoke the function"
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html).
# The rule's ARN includes the account ID.
resource "aws_lambda_permission" "schedule" {
  for_each      = local.triggers.schedule
  statement_id  = "schedule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.schedule[each.key].arn
}
