# Each run breaks one validation of schema/.

variables {
  given_permissions = {}
  given_triggers    = {}
  permissions       = {}
}

run "misspelled_kind" {
  command = plan
  module { source = "./schema" }
  variables {
    given_triggers = { sqss = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders" } } }
    triggers       = { sqss = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders" } } }
  }
  expect_failures = [output.triggers]
}

run "misspelled_attribute" {
  command = plan
  module { source = "./schema" }
  variables {
    given_triggers = { sqs = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders", batchsize = 5 } } }
    triggers       = { sqs = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders", batchsize = 5 } } }
  }
  expect_failures = [output.triggers]
}

run "alb_priority_out_of_range" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { alb = { web = { listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/0123456789abcdef/0123456789abcdef", priority = 0 } } }
  }
  expect_failures = [var.triggers]
}

run "event_pattern_is_not_json" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { event = { orders = { pattern = "source = orders" } } }
  }
  expect_failures = [var.triggers]
}

run "event_retried_too_often" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { event = { orders = { pattern = "{\"source\":[\"orders\"]}", maximum_retries = 186 } } }
  }
  expect_failures = [var.triggers]
}

run "s3_without_events" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { s3 = { orders = { bucket_arn = "arn:aws:s3:::orders", events = [] } } }
  }
  expect_failures = [var.triggers]
}

run "schedule_with_five_fields" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { nightly = { expression = "cron(0 3 * * *)" } } }
  }
  expect_failures = [output.triggers]
}

run "schedule_without_unit" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { often = { expression = "rate(5)" } } }
  }
  expect_failures = [output.triggers]
}

run "schedule_input_is_not_json" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { schedule = { nightly = { expression = "rate(1 day)", input = "now" } } }
  }
  expect_failures = [var.triggers]
}

run "sns_filter_is_not_json" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sns = { orders = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:orders", filter_policy = "status = new" } } }
  }
  expect_failures = [var.triggers]
}

run "unknown_sns_filter_scope" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sns = { orders = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:orders", filter_policy_scope = "Body" } } }
  }
  expect_failures = [var.triggers]
}

run "large_sqs_batch_without_a_window" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sqs = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders", batch_size = 11 } } }
  }
  expect_failures = [var.triggers]
}

run "sqs_window_too_long" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sqs = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders", batch_window_s = 301 } } }
  }
  expect_failures = [var.triggers]
}

run "sqs_concurrency_too_low" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sqs = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders", maximum_concurrency = 1 } } }
  }
  expect_failures = [var.triggers]
}

run "sqs_filter_is_not_json" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { sqs = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders", filters = ["kind = order"] } } }
  }
  expect_failures = [var.triggers]
}

run "stream_batch_too_large" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { kinesis = { clicks = { stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks", batch_size = 10001 } } }
  }
  expect_failures = [var.triggers]
}

run "stream_without_limits" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { kinesis = { clicks = { stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks", maximum_retries = -1 } } }
  }
  expect_failures = [var.triggers]
}

run "stream_parallelization_too_high" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { dynamodb_stream = { orders = { stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1", parallelization = 11 } } }
  }
  expect_failures = [var.triggers]
}

run "stream_window_with_parallel_batches" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { kinesis = { clicks = { stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks", parallelization = 2, tumbling_window_s = 30 } } }
  }
  expect_failures = [var.triggers]
}

run "unknown_stream_position" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { dynamodb_stream = { orders = { stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/1", starting_position = "NOW" } } }
  }
  expect_failures = [var.triggers]
}

run "two_urls" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { url = { one = {}, two = {} } }
  }
  expect_failures = [var.triggers]
}

run "public_url_without_reason" {
  command = plan
  module { source = "./schema" }
  variables {
    triggers = { url = { web = { auth = "NONE" } } }
  }
  expect_failures = [var.triggers]
}
