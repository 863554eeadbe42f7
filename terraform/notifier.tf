# Sends one notice, and one email, when an image becomes ready or is rejected.

module "notifier" {
  source               = "./modules/function"
  name                 = "notifier"
  prefix               = local.prefix
  package              = "${path.root}/${var.packages}/notifier.zip"
  alarm_topic_arns     = [aws_sns_topic.alarms.arn]
  architecture         = var.architecture
  log_level            = local.environment.log_level
  log_retention_days   = local.environment.log_retention_days
  memory_mb            = 256
  metrics_namespace    = local.metrics_namespace
  permissions_boundary = local.environment.permissions_boundary
  role_path            = local.environment.role_path
  timeout_s            = 60
  tracing              = local.environment.tracing

  environment = merge(local.mail, {
    STATE_TABLE = aws_dynamodb_table.state.name
    TOPIC_ARN   = aws_sns_topic.notices.arn
  })

  triggers = {
    dynamodb_stream = {
      catalog = {
        stream_arn      = aws_dynamodb_table.catalog.stream_arn
        batch_window_s  = 1
        filters         = [jsonencode({ eventName = ["INSERT", "MODIFY"], dynamodb = { NewImage = { status = { S = ["READY", "REJECTED"] } } } })]
        maximum_retries = 10 # long enough for the claim of a failed invocation to expire
      }
    }
  }

  #iam:unproven SendMail - SES checks recipients' identities in its sandbox, which LocalStack doesn't have
  permissions = merge(local.send_mail, {
    publish = { actions = ["sns:Publish"], resources = [aws_sns_topic.notices.arn] }
    claim = {
      actions    = ["dynamodb:UpdateItem"]
      resources  = [aws_dynamodb_table.state.arn]
      conditions = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["notice#*"] } }
    }
  })
}
