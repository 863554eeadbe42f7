# trigger_kinesis.tf - runs the function on records of a Kinesis stream, in order within a shard

resource "aws_iam_role_policy" "kinesis" {
  # The actions are from https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
  #iam:unproven kinesis:DescribeStreamSummary - Lambda requires it, but LocalStack doesn't call it
  for_each = local.triggers.kinesis
  name     = "trigger-kinesis-${each.key}"
  role     = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Poll"
        Effect   = "Allow"
        Action   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        Resource = each.value.stream_arn
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

resource "aws_lambda_event_source_mapping" "kinesis" {
  for_each                           = local.triggers.kinesis
  event_source_arn                   = each.value.stream_arn
  function_name                      = aws_lambda_alias.live.arn
  batch_size                         = each.value.batch_size
  bisect_batch_on_function_error     = each.value.bisect
  function_response_types            = ["ReportBatchItemFailures"]
  maximum_batching_window_in_seconds = each.value.batch_window_s
  maximum_record_age_in_seconds      = each.value.maximum_age_s
  maximum_retry_attempts             = each.value.maximum_retries
  parallelization_factor             = each.value.parallelization
  starting_position                  = each.value.starting_position
  tumbling_window_in_seconds         = each.value.tumbling_window_s == 0 ? null : each.value.tumbling_window_s
  tags                               = var.tags

  destination_config {
    on_failure {
      destination_arn = local.stream_failures_arn
    }
  }

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

  # Lambda rejects a mapping until the role may poll the stream and write failures.
  depends_on = [aws_iam_role_policy.kinesis, aws_iam_role_policy.failures, aws_iam_role_policy.stream_failures, terraform_data.order]
}
