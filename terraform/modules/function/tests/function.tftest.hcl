mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name    = "order_reader"
  package = "tests/package.zip"
  prefix  = "eventloom-test"
}

run "defaults" {
  variables {
    environment = { TABLE = "orders", LOG_LEVEL = "not this way" }
    timeout_s   = 20
  }

  assert {
    condition     = aws_lambda_function.this.function_name == "eventloom-test-order-reader" && aws_lambda_function.this.handler == "order_reader.handler.lambda_handler"
    error_message = "Names must be built from the prefix and the folder."
  }

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_alias.live.function_version == "7" && length(aws_lambda_alias.live.routing_config) == 0
    error_message = "The alias must follow the newest version."
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      LOG_LEVEL                    = "INFO"
      POWERTOOLS_METRICS_NAMESPACE = "eventloom-test"
      POWERTOOLS_SERVICE_NAME      = "order_reader"
      TABLE                        = "orders"
    })
    error_message = "The module's variables must be set, and override the caller's."
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_format == "JSON" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "Logs must be JSON and expire."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Only Lambda may assume the role."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.logs.policy).Statement[0].Resource == "${aws_cloudwatch_log_group.this.arn}:*"
    error_message = "The role must be able to write only to the function's own log group."
  }

  assert {
    condition     = length(aws_iam_role_policy.permissions) + length(aws_iam_role_policy.tracing) + length(aws_iam_role_policy.vpc) + length(aws_iam_role_policy.sqs) == 0
    error_message = "Only the log permissions must be granted by default."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.duration.threshold == 16000
    error_message = "The duration alarm must fire at 80 % of the timeout."
  }
}

run "everything_set" {
  variables {
    alarm_topic_arns        = ["arn:aws:sns:eu-west-1:123456789012:alarms"]
    architecture            = "arm64"
    ephemeral_storage_mb    = 1024
    kms_key_arn             = "arn:aws:kms:eu-west-1:123456789012:key/abcd"
    layers                  = ["arn:aws:lambda:eu-west-1:123456789012:layer:insights:1"]
    provisioned_concurrency = 2
    reserved_concurrency    = 20
    tracing                 = true
    vpc                     = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }

    permissions = {
      read_orders = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::orders/*"], conditions = { StringEquals = { "s3:ExistingObjectTag/state" = ["new"] } } }
      send_mail   = { actions = ["ses:SendEmail"], resources = ["*"], reason = "the identity is a condition" }
    }
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.permissions[0].policy).Statement[0] == {
      Sid       = "ReadOrders"
      Effect    = "Allow"
      Action    = ["s3:GetObject"]
      Resource  = ["arn:aws:s3:::orders/*"]
      Condition = { StringEquals = { "s3:ExistingObjectTag/state" = ["new"] } }
    }
    error_message = "A permission must become one statement with its conditions."
  }

  assert {
    condition     = !contains(keys(jsondecode(aws_iam_role_policy.permissions[0].policy).Statement[1]), "Condition")
    error_message = "A permission without conditions must have no Condition."
  }

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active" && length(aws_iam_role_policy.tracing) == 1
    error_message = "Tracing needs its mode and its permissions."
  }

  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 1 && length(aws_iam_role_policy.vpc) == 1
    error_message = "A VPC needs its configuration and its permissions."
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.live[0].qualifier == "live" && aws_lambda_function.this.reserved_concurrent_executions == 20
    error_message = "Concurrency must be provisioned on the alias and reserved on the function."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn && aws_lambda_function.this.kms_key_arn == var.kms_key_arn
    error_message = "The key must encrypt logs and environment."
  }
}

run "snap_start" {
  variables { snap_start = true }

  assert {
    condition     = aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions"
    error_message = "SnapStart must apply to published versions."
  }
}

run "canary" {
  variables {
    live_version  = "6"
    canary_weight = 0.1
  }

  assert {
    condition     = aws_lambda_alias.live.function_version == "6" && aws_lambda_alias.live.routing_config[0].additional_version_weights == tomap({ "7" = 0.1 })
    error_message = "The newest version must get its share, and live_version the rest."
  }
}

run "canary_is_the_live_version" {
  command = plan
  variables {
    live_version  = "7"
    canary_weight = 0.1
  }
  expect_failures = [aws_lambda_alias.live]
}

run "canary_without_live_version" {
  command = plan
  variables { canary_weight = 0.1 }
  expect_failures = [var.canary_weight]
}

run "package_not_built" {
  command = plan
  variables { package = "tests/none.zip" }
  expect_failures = [aws_lambda_function.this]
}

run "invalid_name" {
  command = plan
  variables { name = "Order-Reader" }
  expect_failures = [var.name]
}

run "prefix_of_another_project" {
  variables { prefix = "acme-prod-eu" }

  assert {
    condition     = aws_lambda_function.this.function_name == "acme-prod-eu-order-reader" && aws_lambda_function.this.environment[0].variables["POWERTOOLS_METRICS_NAMESPACE"] == "acme-prod-eu"
    error_message = "Names and metrics of another project must carry its whole prefix."
  }
}

run "metrics_namespace" {
  variables {
    prefix            = "acme-prod"
    metrics_namespace = "Acme/orders #1"
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["POWERTOOLS_METRICS_NAMESPACE"] == "Acme/orders #1"
    error_message = "Metrics must go to the namespace that was asked for."
  }
}

run "metrics_namespace_of_aws" {
  command = plan
  variables { metrics_namespace = "AWS/Lambda" }
  expect_failures = [var.metrics_namespace]
}

run "metrics_namespace_that_cloudwatch_refuses" {
  command = plan
  variables { metrics_namespace = ":orders" }
  expect_failures = [var.metrics_namespace]
}

run "prefix_too_long" {
  command = plan
  variables { prefix = "acme-a-very-long-environment" }
  expect_failures = [var.prefix]
}

run "prefix_without_environment" {
  command = plan
  variables { prefix = "eventloom" }
  expect_failures = [var.prefix]
}

run "unknown_architecture" {
  command = plan
  variables { architecture = "aarch64" }
  expect_failures = [var.architecture]
}

run "unknown_log_level" {
  command = plan
  variables { log_level = "VERBOSE" }
  expect_failures = [var.log_level]
}

run "too_little_memory" {
  command = plan
  variables { memory_mb = 64 }
  expect_failures = [var.memory_mb]
}

run "timeout_above_the_limit_of_lambda" {
  command = plan
  variables { timeout_s = 901 }
  expect_failures = [var.timeout_s]
}

run "snap_start_with_provisioned_concurrency" {
  command = plan
  variables {
    snap_start              = true
    provisioned_concurrency = 1
  }
  expect_failures = [var.snap_start]
}

run "what_an_organization_requires" {
  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/developer-boundary"
    role_path            = "/automation/"
    tags                 = { CostCenter = "photos" }

    triggers = {
      event    = { orders = { pattern = "{\"source\":[\"shop\"]}" } }
      schedule = { hourly = { expression = "rate(1 hour)" } }
      kinesis  = { clicks = { stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks" } }
      sqs      = { orders = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:orders" } }

      dynamodb_stream = { items = { stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/items/stream/2026-01-01T00:00:00.000" } }
      alb             = { web = { listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/0123456789abcdef/0123456789abcdef", priority = 1 } }
    }
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.permissions_boundary && aws_iam_role.this.path == "/automation/"
    error_message = "The role must have the boundary and the path."
  }

  assert {
    condition = alltrue([for tags in concat(
      [aws_lambda_function.this.tags, aws_iam_role.this.tags, aws_cloudwatch_log_group.this.tags, aws_sqs_queue.failures[0].tags],
      [for alarm in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.throttles, aws_cloudwatch_metric_alarm.duration] : alarm.tags],
      [aws_cloudwatch_metric_alarm.failures[0].tags, aws_cloudwatch_metric_alarm.iterator_age[0].tags],
      [for rule in concat(values(aws_cloudwatch_event_rule.event), values(aws_cloudwatch_event_rule.schedule)) : rule.tags],
      [for mapping in concat(values(aws_lambda_event_source_mapping.kinesis), values(aws_lambda_event_source_mapping.sqs)) : mapping.tags],
      [for mapping in values(aws_lambda_event_source_mapping.dynamodb_stream) : mapping.tags],
      [aws_lb_target_group.alb["web"].tags, aws_lb_listener_rule.alb["web"].tags],
    ) : tags == tomap({ CostCenter = "photos" })])
    error_message = "Every resource that AWS lets one tag must have the tags."
  }
}

run "no_boundary_and_no_path_by_default" {
  command = plan

  assert {
    condition     = aws_iam_role.this.permissions_boundary == null && aws_iam_role.this.path == "/"
    error_message = "Accounts without such rules must need nothing."
  }
}

run "boundary_that_is_not_a_policy" {
  command = plan
  variables { permissions_boundary = "arn:aws:iam::123456789012:role/boundary" }
  expect_failures = [var.permissions_boundary]
}

run "role_path_without_its_last_slash" {
  command = plan
  variables { role_path = "/automation" }
  expect_failures = [var.role_path]
}

run "tag_that_only_aws_may_set" {
  command = plan
  variables { tags = { "aws:owner" = "me" } }
  expect_failures = [var.tags]
}

run "security_groups_are_released_on_destroy" {
  command = plan
  variables { vpc = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] } }

  assert {
    condition     = aws_lambda_function.this.replace_security_groups_on_destroy
    error_message = "Interfaces that Lambda deletes later must not hold the security group."
  }
}
