# trigger_sqs.tf - runs the function on messages of an SQS queue; only the messages that fail return to the queue

resource "aws_iam_role_policy" "sqs" {
  for_each = local.triggers.sqs
  name     = "trigger-sqs-${each.key}"
  role     = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Poll"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = each.value.queue_arn
      }],
      each.value.kms_key_arn == null ? [] : [{
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = each.value.kms_key_arn
      }],
    )
  })
}

resource "aws_lambda_event_source_mapping" "sqs" {
  for_each                           = local.triggers.sqs
  event_source_arn                   = each.value.queue_arn
  function_name                      = aws_lambda_alias.live.arn
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.batch_window_s
  function_response_types            = ["ReportBatchItemFailures"]
  tags                               = var.tags

  dynamic "filter_criteria" {
    for_each = length(each.value.filters) > 0 ? [each.value.filters] : []

    content {
      dynamic "filter" {
        for_each = filter_criteria.value

        content {
          pattern = filter.value
        }
      }
    }
  }

  dynamic "scaling_config" {
    for_each = each.value.maximum_concurrency == null ? [] : [each.value.maximum_concurrency]

    content {
      maximum_concurrency = scaling_config.value
    }
  }

  # Lambda rejects a mapping until the role may poll the queue.
  depends_on = [aws_iam_role_policy.sqs, terraform_data.order]

  lifecycle {
    precondition {
      condition = var.reserved_concurrency == null || sum(concat([0], [
        for trigger in local.triggers.sqs : coalesce(trigger.maximum_concurrency, 0)
      ])) <= coalesce(var.reserved_concurrency, 0)
      error_message = <<-EOT
        The SQS triggers' maximum_concurrency adds up to more than reserved_concurrency. Lower it or raise
        reserved_concurrency: Lambda would throttle the rest, and throttled receives count towards the dead-letter
        queue.
      EOT
    }
  }
}
