resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:log_retention_days sets how long logs are kept
  # The service that delivers these logs needs a resource policy of the account that covers the log group. AWS adds the
  # group automatically, and below /aws/vendedlogs/ the policy's size does not limit the number of groups.
  # Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
  count             = var.access_logs ? 1 : 0
  name              = "/aws/vendedlogs/http-apis/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-5xx"
  alarm_description   = "${var.name} answers with server errors."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.this.id, Stage = aws_apigatewayv2_stage.this.name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}
