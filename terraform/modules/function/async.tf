# async.tf - retries events that fail, then keeps them in the failures queue with the error. This applies to streams and
# asynchronous triggers (alarm, event, s3, schedule, sns). An SQS queue has its own dead-letter queue instead.

locals {
  is_async     = length(local.triggers.alarm) + length(local.triggers.event) + length(local.triggers.s3) + length(local.triggers.schedule) + length(local.triggers.sns) > 0
  has_streams  = length(local.triggers.dynamodb_stream) + length(local.triggers.kinesis) > 0
  has_failures = local.is_async || local.has_streams && !var.stream_failures.to_s3

  # The failures queue or the bucket. The queue gets only pointers to the records, which the stream soon deletes.
  stream_failures_arn = var.stream_failures.to_s3 ? var.stream_failures.bucket_arn : one(aws_sqs_queue.failures[*].arn)

  failures_name = "${local.full_name}-failures"
  failures_arn  = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_service.sqs.region}:${local.account_id}:${local.failures_name}"

  # Services that send events to the failures queue if they can't invoke the function. An SQS policy has at most 20
  # statements, so each service gets one (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html).
  # The ARNs of rules are built from their names. With the resources' ARNs, the policy would be unknown until the apply.
  failure_senders = {
    for service, arns in {
      sns    = distinct([for trigger in local.triggers.sns : trigger.topic_arn])
      events = [for rule in values(local.rules) : "${local.rule_arn}${rule.bus == "default" ? "" : "${rule.bus}/"}${rule.name}"]
    } : service => arns if length(arns) > 0
  }
  failures_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.failures_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for service, arns in local.failure_senders : {
        Sid       = "Undelivered${title(service)}"
        Effect    = "Allow"
        Principal = { Service = "${service}.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.failures_arn
        Condition = { ArnEquals = { "aws:SourceArn" = arns } } # includes the account ID
      }],
    )
  })

  rule_arn = "arn:${data.aws_partition.current.partition}:events:${data.aws_service.sqs.region}:${local.account_id}:rule/"

  # Function names here contain no underscore, so the underscore makes each rule's name unique across triggers and
  # functions. PutRule would overwrite a rule with the same name. A rule's name has at most 64 characters. EventBridge
  # also accepts dots, but LocalStack finds no tags of a rule with dots on a custom bus.
  rules = { for rule in concat(
    [for key, trigger in local.triggers.event : { id = "event.${key}", name = "${local.full_name}_event_${key}", bus = replace(trigger.bus_name, "/^arn:.*:event-bus\\//", "") }],
    [for key, trigger in local.triggers.schedule : { id = "schedule.${key}", name = "${local.full_name}_schedule_${key}", bus = "default" }],
    ) : rule.id => {
    bus = rule.bus
    name = (
      length(rule.name) <= 64
      ? rule.name
      : "${substr(rule.name, 0, 53)}_${substr(sha1(rule.name), 0, 10)}"
    )
  } }
}

data "aws_partition" "current" {}

# The region of the provider. The attribute of aws_region for it is named `name` in version 5 and `region` in version 6.
data "aws_service" "sqs" {
  service_id = "sqs"
}

resource "aws_sqs_queue" "failures" {
  #iam:unproven UndeliveredEvents* - LocalStack's EventBridge drops events that it can't deliver
  count                             = local.has_failures ? 1 : 0
  name                              = local.failures_name
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300
  message_retention_seconds         = 1209600
  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  tags                              = var.tags

  policy = local.failures_policy

  lifecycle {
    precondition {
      condition     = length(local.failures_policy) <= 8192
      error_message = <<-EOT
        The policy of ${local.failures_name} takes ${length(local.failures_policy)} characters, and SQS accepts 8192: the function has too many
        event, schedule and sns triggers. Give some of them to another function.
      EOT
    }
  }
}

resource "aws_iam_role_policy" "failures" {
  count = local.has_failures ? 1 : 0
  name  = "failures"
  role  = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "KeepFailures"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = aws_sqs_queue.failures[0].arn
      }],
      # Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
      var.kms_key_arn == null ? [] : [{
        Sid      = "EncryptFailures"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      }],
    )
  })
}

# Source: https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
# No environment uses this policy, but terraform/tests/changes does.
resource "aws_iam_role_policy" "stream_failures" {
  count = local.has_streams && var.stream_failures.to_s3 ? 1 : 0
  name  = "stream-failures"
  role  = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        # Lambda always writes below aws/lambda/<UUID of the mapping>/. The prefix can't be configured.
        { Sid = "KeepRecords", Effect = "Allow", Action = ["s3:PutObject"], Resource = "${var.stream_failures.bucket_arn}/aws/lambda/*" },
        { Sid = "FindBucket", Effect = "Allow", Action = ["s3:ListBucket"], Resource = var.stream_failures.bucket_arn },
      ],
      var.stream_failures.kms_key_arn == null ? [] : [{
        Sid      = "EncryptRecords"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey"]
        Resource = var.stream_failures.kms_key_arn
      }],
    )
  })
}

resource "aws_lambda_function_event_invoke_config" "live" {
  count                        = local.is_async ? 1 : 0
  function_name                = aws_lambda_function.this.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_event_age_in_seconds = var.async_maximum_age_s
  maximum_retry_attempts       = var.async_retries

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures[0].arn
    }
  }

  # Lambda rejects a destination until the role may send to it.
  depends_on = [aws_iam_role_policy.failures]
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  count               = local.has_failures ? 1 : 0
  alarm_name          = "${local.failures_name}-not-empty"
  alarm_description   = "${local.failures_name} holds events that ${local.full_name} failed to process."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.failures[0].name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "iterator_age" {
  count               = local.has_streams ? 1 : 0
  alarm_name          = "${local.full_name}-iterator-age"
  alarm_description   = "${local.full_name} is over ${var.stream_age_alarm_s} s behind its stream."
  namespace           = "AWS/Lambda"
  metric_name         = "IteratorAge"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.stream_age_alarm_s * 1000
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}
