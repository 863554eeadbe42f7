mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name               = "eventloom-test-orders"
  consumer_timeout_s = 60
}

run "defaults_follow_the_advice_of_aws" {
  variables {
    batch_window_s = 5
    senders        = { photos_bucket = { service = "s3.amazonaws.com", source_arn = "arn:aws:s3:::photos" } }
  }

  assert {
    condition     = output.visibility_timeout_s == 365 && aws_sqs_queue.this.visibility_timeout_seconds == 365
    error_message = "The visibility timeout must be 6 x the timeout + the batching window."
  }

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dlq.sqs_managed_sse_enabled
    error_message = "Both queues must be encrypted."
  }

  assert {
    condition     = aws_sqs_queue.this.receive_wait_time_seconds == 20
    error_message = "Long polling must be on."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.this.policy).Statement[1] == {
      Sid       = "SendPhotosBucket"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:eventloom-test-orders"
      Condition = {
        ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::photos" }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }
    error_message = "A sender must be limited to its resource and to this account."
  }

  assert {
    condition = alltrue([for policy in [aws_sqs_queue.this.policy, aws_sqs_queue.dlq.policy] :
      jsondecode(policy).Statement[0].Effect == "Deny" && jsondecode(policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    ])
    error_message = "Both queues must deny requests without TLS."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 5
    error_message = "A message must be received five times before it moves to the dead-letter queue."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dlq.redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = ["arn:aws:sqs:eu-west-1:123456789012:eventloom-test-orders"] }
    error_message = "Only its own queue may use the dead-letter queue."
  }
}

# EventBridge doesn't set aws:SourceAccount. The account ID is in its rule's ARN.
run "sender_whose_arn_has_an_account_id" {
  command = plan

  variables {
    senders = { orders = { service = "events.amazonaws.com", source_arn = "arn:aws:events:eu-west-1:123456789012:rule/orders" } }
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.policy).Statement[1].Condition == { ArnEquals = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/orders" } }
    error_message = "The ARN must be the only condition: EventBridge doesn't set aws:SourceAccount."
  }
}

run "customer_managed_key" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/abcd"
  }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.kms_key_arn && aws_sqs_queue.dlq.kms_master_key_id == var.kms_key_arn
    error_message = "Both queues must use the key."
  }
}

run "visibility_below_six_timeouts" {
  command = plan
  variables { visibility_timeout_s = 359 }
  expect_failures = [var.visibility_timeout_s]
}

run "visibility_without_the_batching_window" {
  command = plan
  variables {
    batch_window_s       = 10
    visibility_timeout_s = 360
  }
  expect_failures = [var.visibility_timeout_s]
}

run "visibility_above_the_limit_of_sqs" {
  command = plan
  variables { visibility_timeout_s = 43201 }
  expect_failures = [var.visibility_timeout_s]
}

run "too_few_receives" {
  command = plan
  variables { max_receive_count = 4 }
  expect_failures = [var.max_receive_count]
}

run "dlq_retention_below_the_queue_s" {
  command = plan
  variables {
    retention_s     = 345600
    dlq_retention_s = 345599
  }
  expect_failures = [var.dlq_retention_s]
}

run "retention_too_short" {
  command = plan
  variables { retention_s = 59 }
  expect_failures = [var.retention_s]
}

run "consumer_timeout_above_the_limit_of_lambda" {
  command = plan
  variables { consumer_timeout_s = 901 }
  expect_failures = [var.consumer_timeout_s]
}

run "name_without_room_for_dlq" {
  command = plan
  variables { name = "a-name-of-77-characters-which-leaves-no-room-for-the-ending-dlq-of-the-other-x" }
  expect_failures = [var.name]
}

run "sender_is_not_a_service" {
  command = plan
  variables {
    senders = { anyone = { service = "*", source_arn = "arn:aws:s3:::photos" } }
  }
  expect_failures = [var.senders]
}

run "sender_is_any_bucket" {
  command = plan
  variables {
    senders = { anyone = { service = "s3.amazonaws.com", source_arn = "arn:aws:s3:::*" } }
  }
  expect_failures = [var.senders]
}

run "tags" {
  variables { tags = { CostCenter = "photos" } }

  assert {
    condition = alltrue([
      for resource in [aws_sqs_queue.this, aws_sqs_queue.dlq] : resource.tags == tomap({ CostCenter = "photos" })
      ]) && alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.age, aws_cloudwatch_metric_alarm.dlq] : alarm.tags == tomap({ CostCenter = "photos" })
    ])
    error_message = "Both queues and both alarms must have the tags."
  }
}

run "tag_that_only_aws_may_set" {
  command = plan
  variables { tags = { "aws:owner" = "me" } }
  expect_failures = [var.tags]
}
