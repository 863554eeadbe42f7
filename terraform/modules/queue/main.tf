data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

# The region of the provider. The attribute of aws_region for it is named `name` in version 5 and `region` in version 6.
data "aws_service" "sqs" {
  service_id = "sqs"
}

locals {
  # Policies are arguments of the queues instead of separate resources, so that no queue exists without its policy. Each
  # separate resource would also take 25 seconds. The policies need the ARNs before the queues exist.
  arn     = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_service.sqs.region}:${data.aws_caller_identity.current.account_id}:${var.name}"
  dlq_arn = "${trimsuffix(local.arn, ".fifo")}-dlq${local.fifo ? ".fifo" : ""}"
  fifo    = endswith(var.name, ".fifo")

  sender_sids = { for name in keys(var.senders) : name => "Send${replace(title(replace(name, "/[^A-Za-z0-9]/", " ")), " ", "")}" }

  visibility_timeout_s = coalesce(var.visibility_timeout_s, 6 * var.consumer_timeout_s + var.batch_window_s)

  only_tls = {
    Sid       = "OnlyTls"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sqs:*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }
}

resource "aws_sqs_queue" "this" {
  name                              = var.name
  content_based_deduplication       = local.fifo ? var.content_based_deduplication : null
  fifo_queue                        = local.fifo ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300
  message_retention_seconds         = var.retention_s
  receive_wait_time_seconds         = 20
  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  visibility_timeout_seconds        = local.visibility_timeout_s
  tags                              = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([merge(local.only_tls, { Resource = local.arn })], [for name, sender in var.senders : {
      Sid       = local.sender_sids[name]
      Effect    = "Allow"
      Principal = { Service = sender.service }
      Action    = "sqs:SendMessage"
      Resource  = local.arn
      # A bucket's ARN has no account ID, so the account is a second condition. The ARNs of other senders contain the
      # account ID, and EventBridge doesn't set aws:SourceAccount.
      Condition = merge(
        { ArnEquals = { "aws:SourceArn" = sender.source_arn } },
        split(":", sender.source_arn)[4] == "" ? { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } } : {},
      )
    }])
  })

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dlq.arn
    maxReceiveCount     = var.max_receive_count
  })

  lifecycle {
    precondition {
      condition     = length(distinct(values(local.sender_sids))) == length(var.senders)
      error_message = <<-EOT
        SQS can't tell these senders apart, because only letters and digits of their names become the Sid:
        ${join("; ", [for names in values({ for name, sid in local.sender_sids : sid => name... }) : join(" and ", names) if length(names) > 1])}. Rename one.
      EOT
    }
  }
}

resource "aws_sqs_queue" "dlq" {
  name                              = "${trimsuffix(var.name, ".fifo")}-dlq${local.fifo ? ".fifo" : ""}"
  fifo_queue                        = local.fifo ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300
  message_retention_seconds         = var.dlq_retention_s
  receive_wait_time_seconds         = 20
  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  tags                              = var.tags

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.only_tls, { Resource = local.dlq_arn })]
  })

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.arn]
  })
}
