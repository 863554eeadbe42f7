# Settings that Lambda refuses fail the plan.

mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name    = "report"
  package = "tests/package.zip"
  prefix  = "eventloom-test"

  metrics_namespace = "eventloom-test"
}

run "variable_of_one_letter" {
  command = plan
  variables { environment = { A = "one letter" } }
  expect_failures = [var.environment]
}

run "variable_with_a_hyphen" {
  command = plan
  variables { environment = { MY-VAR = "hyphen" } }
  expect_failures = [var.environment]
}

run "reserved_variable" {
  command = plan
  variables { environment = { AWS_REGION = "eu-west-1" } }
  expect_failures = [var.environment]
}

run "log_level_in_two_places" {
  command = plan
  variables { environment = { LOG_LEVEL = "DEBUG" } }
  expect_failures = [var.environment]
}

run "variables_of_over_4_kilobytes" {
  command = plan
  variables { environment = { BIG = replace(format("%01993d", 0), "0", "é") } } # two bytes each
  expect_failures = [aws_lambda_function.this]
}

run "variables_of_4_kilobytes" {
  command = plan
  variables { environment = { BIG = replace(format("%01992d", 0), "0", "é") } }

  assert {
    condition     = local.variables_bytes == 4096
    error_message = "Bytes count, not characters."
  }
}

run "ampersands_are_one_byte" {
  command = plan
  variables { environment = { BIG = replace(format("%03000d", 0), "0", "&") } }

  assert {
    condition     = local.variables_bytes < 4096
    error_message = "Lambda doesn't escape & in JSON as Terraform does."
  }
}

run "the_callers_variables_win" {
  command = plan
  variables { environment = { ENVIRONMENT = "blue", POWERTOOLS_SERVICE_NAME = "reports" } }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.ENVIRONMENT == "blue" && aws_lambda_function.this.environment[0].variables.POWERTOOLS_SERVICE_NAME == "reports"
    error_message = "The module must not overwrite the caller's variables."
  }
}

run "canary_with_provisioned_concurrency" {
  command = plan
  variables {
    live_version            = "1"
    canary_weight           = 0.1
    provisioned_concurrency = 1
  }
  expect_failures = [var.canary_weight]
}

run "provisioned_above_reserved" {
  command = plan
  variables {
    provisioned_concurrency = 5
    reserved_concurrency    = 2
  }
  expect_failures = [var.provisioned_concurrency]
}

run "provisioned_up_to_reserved" {
  command = plan
  variables {
    provisioned_concurrency = 2
    reserved_concurrency    = 2
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.live[0].provisioned_concurrent_executions == 2
    error_message = "All of the reserved concurrency may be provisioned."
  }
}

run "negative_provisioned_concurrency" {
  command = plan
  variables { provisioned_concurrency = -1 }
  expect_failures = [var.provisioned_concurrency]
}

run "negative_reserved_concurrency" {
  command = plan
  variables { reserved_concurrency = -1 }
  expect_failures = [var.reserved_concurrency]
}

run "out_of_range" {
  command = plan
  variables {
    async_maximum_age_s  = 59
    async_retries        = 3
    ephemeral_storage_mb = 511
    role_name            = "a role"
  }
  expect_failures = [var.async_maximum_age_s, var.async_retries, var.ephemeral_storage_mb, var.role_name]
}
