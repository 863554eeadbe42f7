# The SNS topic for all alarms, and its email subscriptions.

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch can't publish to a topic encrypted with the AWS managed key
  name = "${local.prefix}-alarms"
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = {
          ArnLike      = { "aws:SourceArn" = "arn:${data.aws_partition.current.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:${local.prefix}-*" }
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      },
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# This check only warns, because an environment may have other subscribers, such as a chat or a pager.
check "somebody_is_notified" {
  assert {
    condition     = !local.environment.protected || length(local.alarm_emails) > 0
    error_message = <<-EOT
      Nobody is notified when an alarm of ${local.prefix} fires. Add addresses to alarm_emails, in
      terraform/environments.json or environments.override.json.
    EOT
  }
}

locals {
  alarm_emails = var.alarm_emails == null ? local.environment.alarm_emails : var.alarm_emails
}

resource "aws_sns_topic_subscription" "alarm_emails" {
  for_each  = toset(local.alarm_emails)
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}
