# Responds to alarms: it redrives the dead-letter queue, raises concurrency for a backlog, or rolls back a bad version.
# It reports each action. If an alarm has no rule, it only reports the alarm.

locals {
  recovery_rules = {
    "${local.prefix}-uploads-dlq-not-empty" = { kind = "redrive", dlq_arn = module.uploads_queue.dlq_arn }
    "${local.prefix}-thumbnailer-errors"    = { kind = "rollback", function_name = module.thumbnailer.function_name }
    "${local.prefix}-uploads-age" = {
      kind       = "relieve"
      mapping_id = module.thumbnailer.event_source_mappings["sqs/uploads"].uuid
      ceiling    = local.environment.thumbnailer_ceiling
    }
  }
}

module "recoverer" {
  source               = "./modules/function"
  name                 = "recoverer"
  prefix               = local.prefix
  package              = "${path.root}/${var.packages}/recoverer.zip"
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

  environment = {
    DRY_RUN          = local.environment.recoverer_dry_run
    REPORT_TOPIC_ARN = aws_sns_topic.notices.arn
    RULES            = jsonencode(local.recovery_rules)
    STATE_TABLE      = aws_dynamodb_table.state.name
  }

  triggers = {
    sns = { alarms = { topic_arn = aws_sns_topic.alarms.arn } }

    # An alarm notifies only when its state changes, but one step may not be enough to resolve it.
    schedule = { sweep = { expression = "rate(5 minutes)" } }
  }

  permissions = {
    report = { actions = ["sns:Publish"], resources = [aws_sns_topic.notices.arn] }
    remember = {
      actions    = ["dynamodb:GetItem", "dynamodb:PutItem"]
      resources  = [aws_dynamodb_table.state.arn]
      conditions = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["recoverer#*"] } }
    }
    see_alarms = {
      actions   = ["cloudwatch:DescribeAlarms"]
      resources = [for alarm in keys(local.recovery_rules) : "arn:${data.aws_partition.current.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:${alarm}"]
    }
    redrive = {
      actions = [
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ListMessageMoveTasks",
        "sqs:ReceiveMessage",
        "sqs:StartMessageMoveTask",
      ]
      resources = [module.uploads_queue.dlq_arn]
    }
    redrive_to = { actions = ["sqs:SendMessage"], resources = [module.uploads_queue.arn] }
    relieve = {
      actions   = ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"]
      resources = [module.thumbnailer.event_source_mappings["sqs/uploads"].arn]
    }
    roll_back = {
      actions   = ["lambda:GetAlias", "lambda:ListVersionsByFunction", "lambda:UpdateAlias"]
      resources = [module.thumbnailer.arn]
    }
  }
}
