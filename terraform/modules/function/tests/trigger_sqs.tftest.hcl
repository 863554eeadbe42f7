mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name    = "order_reader"
  package = "tests/package.zip"
  prefix  = "eventloom-test"
}

run "event_source_mappings" {
  variables {
    triggers = {
      sqs = {
        orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders", batch_size = 50, batch_window_s = 2, maximum_concurrency = 5, filters = ["{\"body\":{\"kind\":[\"order\"]}}"] }
        plain  = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:plain", kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/abcd" }
      }
    }
  }

  assert {
    condition     = alltrue([for mapping in aws_lambda_event_source_mapping.sqs : mapping.function_response_types == toset(["ReportBatchItemFailures"])])
    error_message = "Partial batch responses must be on."
  }

  assert {
    condition     = alltrue([for mapping in aws_lambda_event_source_mapping.sqs : mapping.function_name == aws_lambda_alias.live.arn])
    error_message = "The mapping must invoke the alias."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.sqs["orders"].scaling_config[0].maximum_concurrency == 5
      && length(aws_lambda_event_source_mapping.sqs["orders"].filter_criteria[0].filter) == 1
      && length(aws_lambda_event_source_mapping.sqs["plain"].scaling_config) == 0
      && length(aws_lambda_event_source_mapping.sqs["plain"].filter_criteria) == 0
    )
    error_message = "Concurrency and filters must be set only where they are given."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.sqs["orders"].policy).Statement == [{
      Sid      = "Poll"
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      Resource = "arn:aws:sqs:eu-west-1:123456789012:orders"
    }]
    error_message = "The poller must be granted only the three actions it needs, on its own queue."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.sqs["plain"].policy).Statement[1].Resource == "arn:aws:kms:eu-west-1:123456789012:key/abcd"
    error_message = "The poller of an encrypted queue must be able to use the queue's key."
  }
}

run "concurrency_above_reserved_concurrency" {
  command = plan
  variables {
    reserved_concurrency = 9
    triggers = {
      sqs = {
        one = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:one", maximum_concurrency = 5 }
        two = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:two", maximum_concurrency = 5 }
      }
    }
  }
  expect_failures = [aws_lambda_event_source_mapping.sqs]
}
