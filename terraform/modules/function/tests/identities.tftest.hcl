# What AWS sees of two triggers or two functions is never the same.

mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name    = "report"
  package = "tests/package.zip"
  prefix  = "eventloom-test"
}

run "event_and_schedule_of_one_key" {
  command = plan
  variables {
    triggers = {
      event    = { orders = { pattern = "{\"source\":[\"shop\"]}" } }
      schedule = { orders = { expression = "rate(1 hour)" } }
    }
  }

  assert {
    condition = (
      aws_cloudwatch_event_rule.event["orders"].name == "eventloom-test-report_event_orders"
      && aws_cloudwatch_event_rule.schedule["orders"].name == "eventloom-test-report_schedule_orders"
    )
    error_message = "Two kinds of trigger must have two rules."
  }
}

run "names_of_report" {
  command = plan
  variables {
    triggers = { schedule = { daily-eu = { expression = "rate(1 hour)" } }, s3 = { daily-eu = { bucket_arn = "arn:aws:s3:::a" } } }
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule["daily-eu"].name == "eventloom-test-report_schedule_daily-eu" && keys(output.s3_notifications) == ["eventloom-test-report.daily-eu"]
    error_message = "Rules and notifications must name the function and the key, with a separator that neither holds."
  }
}

run "names_of_report_daily" {
  command = plan
  variables {
    name     = "report_daily"
    triggers = { schedule = { eu = { expression = "rate(1 hour)" } }, s3 = { eu = { bucket_arn = "arn:aws:s3:::a" } } }
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule["eu"].name == "eventloom-test-report-daily_schedule_eu" && keys(output.s3_notifications) == ["eventloom-test-report-daily.eu"]
    error_message = "Rules and notifications must name the function and the key, with a separator that neither holds."
  }
}

run "names_of_another_prefix" {
  command = plan
  variables {
    prefix   = "eventloom-other"
    triggers = { schedule = { daily-eu = { expression = "rate(1 hour)" } }, s3 = { daily-eu = { bucket_arn = "arn:aws:s3:::a" } } }
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule["daily-eu"].name == "eventloom-other-report_schedule_daily-eu" && keys(output.s3_notifications) == ["eventloom-other-report.daily-eu"]
    error_message = "Rules and notifications must name the function and the key, with a separator that neither holds."
  }
}

run "longest_names" {
  command = plan
  variables {
    name   = "a123456789012345678901234567890"
    prefix = "acme-development-us-east-1"
    triggers = { schedule = {
      hourly     = { expression = "rate(1 hour)" }
      hourly-too = { expression = "rate(1 hour)" }
    } }
  }

  assert {
    condition = (
      length(aws_cloudwatch_event_rule.schedule["hourly"].name) == 64
      && aws_cloudwatch_event_rule.schedule["hourly"].name != aws_cloudwatch_event_rule.schedule["hourly-too"].name
    )
    error_message = "Long names of rules must be shortened to different ones."
  }
}

run "load_balancer_of_report" {
  command = plan
  variables {
    triggers = { alb = { daily-eu = { listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/1/2", priority = 1 } } }
  }

  assert {
    condition     = aws_lb_target_group.alb["daily-eu"].name == "eventloom-test-report-d-a1feeb04"
    error_message = "Two functions must not share a target group."
  }
}

run "load_balancer_of_report_daily" {
  command = plan
  variables {
    name     = "report_daily"
    triggers = { alb = { eu = { listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/1/2", priority = 2 } } }
  }

  assert {
    condition     = aws_lb_target_group.alb["eu"].name == "eventloom-test-report-d-8cde80f5"
    error_message = "Two functions must not share a target group."
  }
}

run "many_schedules" {
  command = plan
  variables {
    triggers = {
      event    = { shop = { bus_name = "shop", pattern = "{\"source\":[\"shop\"]}" } }
      schedule = { for hour in range(24) : "at-${hour}" => { expression = "cron(0 ${hour} * * ? *)" } }
      sns      = { news = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:news" } }
    }
  }

  assert {
    condition     = [for statement in jsondecode(aws_sqs_queue.failures[0].policy).Statement : statement.Sid] == ["OnlyTls", "UndeliveredEvents", "UndeliveredSns"]
    error_message = "Each service must have one statement: SQS accepts 20."
  }

  assert {
    condition = (
      length(jsondecode(aws_sqs_queue.failures[0].policy).Statement[1].Condition.ArnEquals["aws:SourceArn"]) == 25
      && contains(jsondecode(aws_sqs_queue.failures[0].policy).Statement[1].Condition.ArnEquals["aws:SourceArn"], "arn:aws:events:eu-west-1:123456789012:rule/shop/eventloom-test-report_event_shop")
      && contains(jsondecode(aws_sqs_queue.failures[0].policy).Statement[1].Condition.ArnEquals["aws:SourceArn"], "arn:aws:events:eu-west-1:123456789012:rule/eventloom-test-report_schedule_at-3")
    )
    error_message = "The statement must name each rule, with its bus."
  }
}

run "too_many_schedules" {
  command = plan
  variables {
    triggers = { schedule = { for minute in range(100) : "at-${minute}" => { expression = "rate(1 hour)" } } }
  }
  expect_failures = [aws_sqs_queue.failures]
}

run "nothing_is_null" {
  command = plan
  variables {
    triggers = { schedule = null, sqs = { orders = null } }
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.schedule) == 0 && length(aws_lambda_event_source_mapping.sqs) == 0
    error_message = "A kind or a trigger that is null must be as good as none."
  }
}

run "second_region" {
  command = plan
  variables {
    role_name = "eventloom-test-report-us"
  }

  assert {
    condition     = aws_iam_role.this.name == "eventloom-test-report-us"
    error_message = "The role must have the given name, since roles belong to the whole account."
  }
}
