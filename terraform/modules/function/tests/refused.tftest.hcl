# Each run gives the triggers or permissions of a function something that AWS would refuse, or take for the same thing.

variables {
  given_permissions = {}
  given_triggers    = {}
  permissions       = {}
}

run "rate_with_a_plural_for_one" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "rate(1 hours)" } } }
  }
  expect_failures = [output.triggers]
}

run "rate_with_a_singular_for_many" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "rate(5 minute)" } } }
  }
  expect_failures = [output.triggers]
}

run "rate_of_zero" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "rate(0 minutes)" } } }
  }
  expect_failures = [output.triggers]
}

run "cron_with_both_days" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "cron(0 3 * * * *)" } } }
  }
  expect_failures = [output.triggers]
}

run "cron_without_days" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "cron(0 3 ? * ? *)" } } }
  }
  expect_failures = [output.triggers]
}

run "cron_out_of_range" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "cron(99 99 * * ? *)" } } }
  }
  expect_failures = [output.triggers]
}

run "cron_with_month_13" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "cron(0 3 1 13 ? *)" } } }
  }
  expect_failures = [output.triggers]
}

run "cron_with_weekday_0" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "cron(0 3 ? * 0 *)" } } }
  }
  expect_failures = [output.triggers]
}

run "cron_with_year_1969" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "cron(0 3 1 1 ? 1969)" } } }
  }
  expect_failures = [output.triggers]
}

run "cron_with_a_step_of_0" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "cron(0/0 * * * ? *)" } } }
  }
  expect_failures = [output.triggers]
}

run "accepted_schedules" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = {
      schedule = { for index, expression in [
        "rate(1 minute)",
        "rate(12 hours)",
        "cron(0 3 * * ? *)",
        "cron(00 03 01 01 ? 2030)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(0,30 * L * ? *)",
        "cron(0 9 15W * ? *)",
        "cron(0 9 ? JAN,JUL 2#1 2026-2030)",
        "cron(0 9 ? * 6L *)",
        "cron(0 9 LW * ? *)",
        "cron(*/5 * * * ? *)",
      ] : "at-${index}" => { expression = expression } }
    }
  }
  assert {
    condition     = length(output.triggers.schedule) == 11
    error_message = "EventBridge accepts these expressions."
  }
}

run "key_with_a_space" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { "every hour" = { expression = "rate(1 hour)" } } }
  }
  expect_failures = [output.triggers]
}

run "key_with_a_slash" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { s3 = { "raw/uploads" = { bucket_arn = "arn:aws:s3:::orders" } } }
  }
  expect_failures = [output.triggers]
}

run "key_of_65_characters" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { a1234567890123456789012345678901234567890123456789012345678901234 = { expression = "rate(1 hour)" } } }
  }
  expect_failures = [output.triggers]
}

run "one_queue_twice" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sqs = { one = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders" }, two = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders" } } }
  }
  expect_failures = [output.triggers]
}

run "one_topic_twice" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sns = { one = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:orders" }, two = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:orders" } } }
  }
  expect_failures = [output.triggers]
}

run "one_stream_twice" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { kinesis = { one = { stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks" }, two = { stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks" } } }
  }
  expect_failures = [output.triggers]
}

run "one_table_twice" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { dynamodb_stream = { one = { stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1" }, two = { stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1" } } }
  }
  expect_failures = [output.triggers]
}

run "one_priority_twice" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { alb = { one = { listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/1/2", priority = 7 }, two = { listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/1/2", priority = 7 } } }
  }
  expect_failures = [output.triggers]
}

run "window_on_a_fifo_queue" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sqs = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders.fifo", batch_size = 10, batch_window_s = 5 } } }
  }
  expect_failures = [output.triggers]
}

run "permissions_with_one_sid" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = {}
    permissions = {
      "read-uploads" = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::a/*"] }
      "read_uploads" = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"] }
    }
  }
  expect_failures = [output.permissions]
}

run "permission_without_a_latin_letter" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = {}
    permissions = {
      "읽기" = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::a/*"] }
    }
  }
  expect_failures = [output.permissions]
}
