# Triggers by streams, which keep order within a shard: dynamodb_stream and kinesis

mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name    = "order_reader"
  package = "tests/package.zip"
  prefix  = "eventloom-test"
}

run "dynamodb_stream" {
  variables {
    triggers = {
      dynamodb_stream = {
        orders = {
          stream_arn      = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1"
          filters         = ["{\"eventName\":[\"INSERT\"]}"]
          maximum_retries = 3
          parallelization = 4
        }
      }
    }
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.dynamodb_stream["orders"].policy).Statement == [{
      Sid      = "Poll"
      Effect   = "Allow"
      Action   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
      Resource = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1"
    }]
    error_message = "The poller must be able to read only this stream."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.dynamodb_stream["orders"].function_name == aws_lambda_alias.live.arn
      && aws_lambda_event_source_mapping.dynamodb_stream["orders"].function_response_types == toset(["ReportBatchItemFailures"])
      && aws_lambda_event_source_mapping.dynamodb_stream["orders"].bisect_batch_on_function_error
      && aws_lambda_event_source_mapping.dynamodb_stream["orders"].maximum_retry_attempts == 3
      && aws_lambda_event_source_mapping.dynamodb_stream["orders"].maximum_record_age_in_seconds == 86400
      && aws_lambda_event_source_mapping.dynamodb_stream["orders"].parallelization_factor == 4
      && aws_lambda_event_source_mapping.dynamodb_stream["orders"].starting_position == "TRIM_HORIZON"
      && length(aws_lambda_event_source_mapping.dynamodb_stream["orders"].filter_criteria[0].filter) == 1
    )
    error_message = "The mapping must have limits, split failed batches and use partial batch responses."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.dynamodb_stream["orders"].destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.failures[0].arn
    error_message = "Records that are given up must move to the failures queue."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.failures) == 1 && aws_cloudwatch_metric_alarm.iterator_age[0].threshold == 300000
    error_message = "There must be alarms for failures and for delay."
  }

  assert {
    condition     = length(aws_lambda_function_event_invoke_config.live) == 0
    error_message = "Streams invoke synchronously, so there must be no asynchronous settings."
  }
}

run "kinesis" {
  variables {
    triggers = {
      kinesis = {
        clicks = {
          stream_arn        = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
          kms_key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/abcd"
          starting_position = "LATEST"
          tumbling_window_s = 30
        }
      }
    }
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.kinesis["clicks"].policy).Statement[0].Resource == "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
    error_message = "The poller must be able to read only this stream."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.kinesis["clicks"].policy).Statement[1].Action == ["kms:Decrypt"]
    error_message = "The poller of an encrypted stream must be able to use the stream's key."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.kinesis["clicks"].tumbling_window_in_seconds == 30
      && aws_lambda_event_source_mapping.kinesis["clicks"].starting_position == "LATEST"
      && aws_lambda_event_source_mapping.kinesis["clicks"].function_response_types == toset(["ReportBatchItemFailures"])
      && aws_lambda_event_source_mapping.kinesis["clicks"].destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.failures[0].arn
    )
    error_message = "The mapping must have the given settings."
  }
}

run "records_that_fail_are_kept_in_a_bucket" {
  variables {
    stream_failures = { to_s3 = true, bucket_arn = "arn:aws:s3:::failures", kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000" }
    triggers        = { kinesis = { clicks = { stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks" } } }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kinesis["clicks"].destination_config[0].on_failure[0].destination_arn == "arn:aws:s3:::failures" && length(aws_sqs_queue.failures) == 0
    error_message = "The bucket must replace the failures queue."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.stream_failures[0].policy).Statement : statement.Sid => [statement.Action, statement.Resource] } == {
      KeepRecords    = [["s3:PutObject"], "arn:aws:s3:::failures/aws/lambda/*"]
      FindBucket     = [["s3:ListBucket"], "arn:aws:s3:::failures"]
      EncryptRecords = [["kms:GenerateDataKey"], "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"]
    }
    error_message = "The role must be able to write to the bucket, and no more."
  }
}

run "asynchronous_triggers_keep_their_queue_beside_the_bucket" {
  command = plan

  variables {
    stream_failures = { to_s3 = true, bucket_arn = "arn:aws:s3:::failures" }

    triggers = {
      kinesis  = { clicks = { stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks" } }
      schedule = { hourly = { expression = "rate(1 hour)" } }
    }
  }

  assert {
    condition     = length(aws_sqs_queue.failures) == 1 && aws_lambda_event_source_mapping.kinesis["clicks"].destination_config[0].on_failure[0].destination_arn == "arn:aws:s3:::failures"
    error_message = "Scheduled events must have the queue, and records the bucket."
  }
}

run "to_s3_without_a_bucket" {
  command = plan
  variables { stream_failures = { to_s3 = true } }
  expect_failures = [var.stream_failures]
}
