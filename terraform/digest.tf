# Sends one summary per day by email and as a notice.

locals {
  # The summary reports the number of messages in these queues.
  dead_letters = merge(
    { uploads = { arn = module.uploads_queue.dlq_arn, url = module.uploads_queue.dlq_url } },
    { for name, function in { activity = module.activity, converter = module.converter, notifier = module.notifier, recoverer = module.recoverer } :
      name => { arn = function.failures_queue_arn, url = function.failures_queue_url }
    },
  )
}

module "digest" {
  source               = "./modules/function"
  name                 = "digest"
  prefix               = local.prefix
  package              = "${path.root}/${var.packages}/digest.zip"
  alarm_topic_arns     = [aws_sns_topic.alarms.arn]
  architecture         = var.architecture
  log_level            = local.environment.log_level
  log_retention_days   = local.environment.log_retention_days
  memory_mb            = 256
  metrics_namespace    = local.metrics_namespace
  permissions_boundary = local.environment.permissions_boundary
  role_path            = local.environment.role_path
  timeout_s            = 120
  tracing              = local.environment.tracing

  environment = merge(local.mail, {
    CATALOG_TABLE = aws_dynamodb_table.catalog.name
    DLQ_URLS      = join(",", values(local.dead_letters)[*].url)
    ENVIRONMENT   = terraform.workspace
    STATE_TABLE   = aws_dynamodb_table.state.name
    TOPIC_ARN     = aws_sns_topic.notices.arn
  })

  triggers = {
    schedule = { daily = { expression = local.environment.digest_schedule } }
  }

  #iam:unproven SendMail - SES checks recipients' identities in its sandbox, which LocalStack doesn't have
  permissions = merge(local.send_mail, {
    claim = {
      actions    = ["dynamodb:UpdateItem"]
      resources  = [aws_dynamodb_table.state.arn]
      conditions = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["digest#*"] } }
    }
    count_dead_letters = { actions = ["sqs:GetQueueAttributes"], resources = values(local.dead_letters)[*].arn }
    list_images        = local.list_images
    publish            = { actions = ["sns:Publish"], resources = [aws_sns_topic.notices.arn] }
  })
}
