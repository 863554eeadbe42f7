# trigger_schedule.tf - runs the function on a schedule, by an EventBridge rule

resource "aws_cloudwatch_event_rule" "schedule" {
  for_each            = local.triggers.schedule
  name                = local.rules["schedule.${each.key}"].name
  description         = "Runs ${local.full_name}"
  schedule_expression = each.value.expression
  state               = each.value.enabled ? "ENABLED" : "DISABLED"
  tags                = var.tags

  # If the name changes, the new rule works before the old rule is removed. An event may come twice, but none is lost.
  lifecycle {
    create_before_destroy = true
  }
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

  lifecycle {
    create_before_destroy = true
  }
}

# No source_account: "A SourceAccount setting prevents EventBridge from being able to invoke the function"
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html).
# The rule's ARN includes the account ID. The rule is part of the statement's ID, so that the statements of an old and a
# new rule can exist at the same time.
resource "aws_lambda_permission" "schedule" {
  for_each      = local.triggers.schedule
  statement_id  = "schedule-${each.key}-${substr(sha1(local.rules["schedule.${each.key}"].name), 0, 8)}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.schedule[each.key].arn

  lifecycle {
    create_before_destroy = true
  }
}
