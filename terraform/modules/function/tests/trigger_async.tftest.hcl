# Triggers that invoke asynchronously: alarm, event, s3, schedule and sns

mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name    = "order_reader"
  package = "tests/package.zip"
  prefix  = "eventloom-test"
}

run "no_trigger" {
  assert {
    condition     = output.failures_queue_arn == null && length(aws_lambda_function_event_invoke_config.live) == 0 && length(aws_iam_role_policy.failures) == 0
    error_message = "Without asynchronous triggers there must be no failures queue."
  }
}

run "alarm" {
  variables {
    triggers = { alarm = { backlog = { alarm_arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:backlog" } } }
  }

  assert {
    condition = (
      aws_lambda_permission.alarm["backlog"].principal == "lambda.alarms.cloudwatch.amazonaws.com"
      && aws_lambda_permission.alarm["backlog"].source_arn == "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:backlog"
      && aws_lambda_permission.alarm["backlog"].source_account == "123456789012"
      && aws_lambda_permission.alarm["backlog"].qualifier == "live"
    )
    error_message = "Only this alarm of this account may invoke the alias."
  }

  assert {
    condition     = length(jsondecode(aws_iam_role_policy.failures[0].policy).Statement) == 1
    error_message = "SSE-SQS must need no KMS permission."
  }
}

run "failures_with_a_customer_managed_key" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/abcd"
    triggers    = { alarm = { backlog = { alarm_arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:backlog" } } }
  }

  assert {
    condition = (
      aws_sqs_queue.failures[0].kms_master_key_id == var.kms_key_arn
      && jsondecode(aws_iam_role_policy.failures[0].policy).Statement[1].Action == ["kms:Decrypt", "kms:GenerateDataKey"]
      && jsondecode(aws_iam_role_policy.failures[0].policy).Statement[1].Resource == var.kms_key_arn
    )
    error_message = "The role must be able to use the queue's key, or failures are lost."
  }
}

run "event" {
  variables {
    async_retries       = 1
    async_maximum_age_s = 600
    triggers = {
      event = { orders = { bus_name = "shop", pattern = "{\"source\":[\"orders\"]}", maximum_retries = 7 } }
    }
  }

  assert {
    condition     = aws_cloudwatch_event_rule.event["orders"].event_bus_name == "shop" && aws_cloudwatch_event_target.event["orders"].event_bus_name == "shop"
    error_message = "The rule and its target must be on the same bus."
  }

  assert {
    condition     = aws_cloudwatch_event_target.event["orders"].arn == aws_lambda_alias.live.arn && aws_cloudwatch_event_target.event["orders"].dead_letter_config[0].arn == aws_sqs_queue.failures[0].arn
    error_message = "The target must be the alias, with the failures queue for undelivered events."
  }

  assert {
    condition = (
      aws_lambda_permission.event["orders"].principal == "events.amazonaws.com"
      && aws_lambda_permission.event["orders"].source_arn == aws_cloudwatch_event_rule.event["orders"].arn
      && aws_lambda_permission.event["orders"].source_account == null
      && aws_lambda_permission.event["orders"].qualifier == "live"
    )
    error_message = "Only this rule may invoke the alias, without source_account, which EventBridge doesn't support."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.failures[0].policy).Statement[1] == {
      Sid       = "UndeliveredEvents"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:eventloom-test-order-reader-failures"
      Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:events:eu-west-1:123456789012:rule/shop/eventloom-test-order-reader_event_orders"] } }
    }
    error_message = "Only this rule may send undelivered events to the failures queue."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.live[0].maximum_retry_attempts == 1
      && aws_lambda_function_event_invoke_config.live[0].maximum_event_age_in_seconds == 600
      && aws_lambda_function_event_invoke_config.live[0].qualifier == "live"
      && aws_lambda_function_event_invoke_config.live[0].destination_config[0].on_failure[0].destination == aws_sqs_queue.failures[0].arn
    )
    error_message = "Failed events must be retried, then moved to the failures queue."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.failures[0].policy).Statement == [{
      Sid      = "KeepFailures"
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = aws_sqs_queue.failures[0].arn
    }]
    error_message = "The role must only be able to send to the failures queue."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.failures) == 1 && length(aws_cloudwatch_metric_alarm.iterator_age) == 0
    error_message = "The failures queue must have its alarm, and there must be none for streams."
  }
}

run "s3" {
  variables {
    triggers = {
      s3 = { orders = { bucket_arn = "arn:aws:s3:::orders", prefix = "in/", suffix = ".csv" } }
    }
  }

  assert {
    condition = (
      aws_lambda_permission.s3["orders"].principal == "s3.amazonaws.com"
      && aws_lambda_permission.s3["orders"].source_arn == "arn:aws:s3:::orders"
      && aws_lambda_permission.s3["orders"].source_account == "123456789012"
      && aws_lambda_permission.s3["orders"].qualifier == "live"
    )
    error_message = "Only this bucket of this account may invoke the alias."
  }

  assert {
    condition = output.s3_notifications["eventloom-test-order-reader.orders"] == {
      type   = "function"
      arn    = aws_lambda_alias.live.arn
      events = tolist(["s3:ObjectCreated:*"])
      prefix = "in/"
      suffix = ".csv"
    }
    error_message = "The output must contain the whole notification."
  }
}

run "schedule" {
  variables {
    triggers = {
      schedule = {
        nightly = { expression = "cron(0 3 * * ? *)", input = "{\"days\":1}" }
        paused  = { expression = "rate(5 minutes)", enabled = false }
      }
    }
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule["nightly"].schedule_expression == "cron(0 3 * * ? *)" && aws_cloudwatch_event_target.schedule["nightly"].input == "{\"days\":1}"
    error_message = "The rule must have its schedule, and its target the input."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule["nightly"].state == "ENABLED" && aws_cloudwatch_event_rule.schedule["paused"].state == "DISABLED"
    error_message = "A schedule with enabled = false must be disabled."
  }

  assert {
    condition = alltrue([for name, permission in aws_lambda_permission.schedule :
      permission.principal == "events.amazonaws.com" && permission.source_arn == aws_cloudwatch_event_rule.schedule[name].arn && permission.source_account == null && permission.qualifier == "live"
    ])
    error_message = "Only the rules may invoke the alias, without source_account, which EventBridge doesn't support."
  }

  assert {
    condition     = length(jsondecode(aws_sqs_queue.failures[0].policy).Statement[1].Condition.ArnEquals["aws:SourceArn"]) == 2
    error_message = "Each rule must be able to send undelivered events to the failures queue."
  }
}

run "sns" {
  variables {
    triggers = {
      sns = {
        orders = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:orders", filter_policy = "{\"status\":[\"new\"]}" }
        all    = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:all" }
      }
    }
  }

  assert {
    condition = (
      aws_sns_topic_subscription.sns["orders"].protocol == "lambda"
      && aws_sns_topic_subscription.sns["orders"].endpoint == aws_lambda_alias.live.arn
      && aws_sns_topic_subscription.sns["orders"].filter_policy == "{\"status\":[\"new\"]}"
      && jsondecode(aws_sns_topic_subscription.sns["orders"].redrive_policy).deadLetterTargetArn == aws_sqs_queue.failures[0].arn
      && aws_sns_topic_subscription.sns["all"].filter_policy == null
    )
    error_message = "The subscription must have the alias, the filter and the failures queue for undelivered messages."
  }

  assert {
    condition = (
      aws_lambda_permission.sns["orders"].principal == "sns.amazonaws.com"
      && aws_lambda_permission.sns["orders"].source_arn == "arn:aws:sns:eu-west-1:123456789012:orders"
      && aws_lambda_permission.sns["orders"].source_account == null
    )
    error_message = "Only this topic may invoke the alias."
  }

  assert {
    condition     = contains(jsondecode(aws_sqs_queue.failures[0].policy).Statement[1].Condition.ArnEquals["aws:SourceArn"], "arn:aws:sns:eu-west-1:123456789012:orders")
    error_message = "The topic must be able to send undelivered messages to the failures queue."
  }
}
