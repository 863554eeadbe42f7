# trigger_event.tf - runs the function on events of an EventBridge bus that match a pattern

resource "aws_cloudwatch_event_rule" "event" {
  for_each       = local.triggers.event
  name           = local.rules["event.${each.key}"].name
  description    = "Runs ${local.full_name}"
  event_bus_name = each.value.bus_name
  event_pattern  = each.value.pattern
  tags           = var.tags

  # If the name changes, the new rule works before the old rule is removed. An event may come twice, but none is lost.
  lifecycle {
    create_before_destroy = true
  }
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

  lifecycle {
    create_before_destroy = true
  }
}

# No source_account: "A SourceAccount setting prevents EventBridge from being able to invoke the function"
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html).
# The rule's ARN includes the account ID. The rule is part of the statement's ID, so that the statements of an old and a
# new rule can exist at the same time.
resource "aws_lambda_permission" "event" {
  for_each      = local.triggers.event
  statement_id  = "event-${each.key}-${substr(sha1("${each.value.bus_name}/${local.rules["event.${each.key}"].name}"), 0, 8)}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.event[each.key].arn

  lifecycle {
    create_before_destroy = true
  }
}
