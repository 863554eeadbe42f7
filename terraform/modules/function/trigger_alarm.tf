# trigger_alarm.tf - runs the function when a CloudWatch alarm with alias_arn as an action changes state

resource "aws_lambda_permission" "alarm" {
  for_each       = local.triggers.alarm
  statement_id   = "alarm-${each.key}"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  qualifier      = aws_lambda_alias.live.name
  principal      = "lambda.alarms.cloudwatch.amazonaws.com"
  source_arn     = each.value.alarm_arn
  source_account = local.account_id
}
