mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name             = "eventloom-test-orders"
  alias_invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:f:live/invocations"
}

run "key_and_usage_plan_by_default" {
  variables {
    open_paths    = ["/", "/health", "/page/{file+}"]
    quota_per_day = 1000
  }

  assert {
    condition     = toset(keys(aws_api_gateway_method.this)) == toset(["ANY /", "ANY /{proxy+}", "GET /", "GET /health", "GET /page/{file+}"])
    error_message = "Every path must reach the function, and without CORS there must be no OPTIONS method."
  }

  assert {
    condition     = alltrue([for name, method in aws_api_gateway_method.this : method.api_key_required == startswith(name, "ANY")])
    error_message = "Every path except the open ones must require a key."
  }

  assert {
    condition     = aws_api_gateway_resource.below["/page/{file+}"].parent_id == aws_api_gateway_resource.open["page"].id && aws_api_gateway_resource.below["/page/{file+}"].path_part == "{file+}"
    error_message = "The open resource must be a child of its own path only."
  }

  assert {
    condition     = alltrue([for integration in aws_api_gateway_integration.this : integration.type == "AWS_PROXY" && integration.uri == var.alias_invoke_arn])
    error_message = "Every method must invoke the alias."
  }

  assert {
    condition     = length(aws_api_gateway_usage_plan_key.this) == 1 && aws_api_gateway_usage_plan.this[0].quota_settings[0].limit == 1000
    error_message = "The key must have a usage plan with the quota."
  }

  assert {
    condition     = aws_api_gateway_method_settings.all.settings[0].throttling_rate_limit == 50 && aws_api_gateway_method_settings.all.settings[0].throttling_burst_limit == 100
    error_message = "All methods must be throttled."
  }

  assert {
    condition     = aws_api_gateway_stage.this.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.access[0].arn
    error_message = "Requests must be logged."
  }
}

run "without_access_logs" {
  variables { access_logs = false }

  assert {
    condition     = length(aws_api_gateway_stage.this.access_log_settings) == 0 && length(aws_cloudwatch_log_group.access) == 0
    error_message = "A stage without access logs must have no log group: it needs no role of the account."
  }
}

run "webhooks_need_no_key" {
  variables {
    open_paths = ["/health"]
    open_posts = ["/webhook"]
  }

  assert {
    condition     = toset([for name, method in aws_api_gateway_method.this : name if !method.api_key_required]) == toset(["GET /health", "POST /webhook"])
    error_message = "Anyone may POST to the open path, and no other method there may be open."
  }
}

run "open_post_with_wildcard" {
  command = plan

  variables {
    open_posts = ["/{proxy+}"]
  }

  expect_failures = [var.open_posts]
}

run "signed_requests_and_cors" {
  variables {
    auth = "iam"
    cors = true
  }

  assert {
    condition     = aws_api_gateway_method.this["ANY /{proxy+}"].authorization == "AWS_IAM" && aws_api_gateway_method.this["OPTIONS /{proxy+}"].authorization == "NONE"
    error_message = "Requests must be signed, except the browser's preflight request."
  }

  assert {
    condition     = output.api_key == null && length(aws_api_gateway_usage_plan.this) == 0
    error_message = "There must be no API key."
  }

  assert {
    condition     = alltrue([for response in aws_api_gateway_gateway_response.problem : contains(keys(response.response_parameters), "gatewayresponse.header.Access-Control-Allow-Origin")])
    error_message = "A web page must be able to read why its request was rejected."
  }
}

run "tokens_of_a_user_pool" {
  variables {
    auth           = "cognito"
    user_pool_arns = ["arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_abc"]
  }

  assert {
    condition     = aws_api_gateway_method.this["ANY /{proxy+}"].authorization == "COGNITO_USER_POOLS" && aws_api_gateway_method.this["ANY /{proxy+}"].authorizer_id == aws_api_gateway_authorizer.cognito[0].id
    error_message = "Requests must need a token."
  }

  assert {
    condition     = aws_api_gateway_authorizer.cognito[0].provider_arns == toset(var.user_pool_arns)
    error_message = "Only tokens of these pools may be accepted."
  }
}

run "unknown_auth" {
  command = plan
  variables { auth = "none" }
  expect_failures = [var.auth]
}

run "cognito_without_user_pool" {
  command = plan
  variables { auth = "cognito" }
  expect_failures = [var.user_pool_arns]
}

run "open_path_for_everything" {
  command = plan
  variables { open_paths = ["/{proxy+}"] }
  expect_failures = [var.open_paths]
}

run "open_path_below_a_variable" {
  command = plan
  variables { open_paths = ["/a/{b}/{file+}"] }
  expect_failures = [var.open_paths]
}

run "throttle_of_zero" {
  command = plan
  variables { throttle = { rate = 0, burst = 1 } }
  expect_failures = [var.throttle]
}

run "tags" {
  variables { tags = { CostCenter = "photos" } }

  assert {
    condition = alltrue([for tags in [
      aws_api_gateway_rest_api.this.tags, aws_api_gateway_stage.this.tags, aws_api_gateway_api_key.this[0].tags,
      aws_api_gateway_usage_plan.this[0].tags, aws_cloudwatch_log_group.access[0].tags, aws_cloudwatch_metric_alarm.errors.tags,
    ] : tags == tomap({ CostCenter = "photos" })])
    error_message = "Every resource that AWS lets one tag must have the tags."
  }
}

run "tag_that_only_aws_may_set" {
  command = plan
  variables { tags = { "aws:owner" = "me" } }
  expect_failures = [var.tags]
}

run "metrics_of_methods_cost_money" {
  assert {
    condition     = !aws_api_gateway_method_settings.all.settings[0].metrics_enabled
    error_message = "Metrics that nobody reads must be off."
  }
}

run "metrics_of_methods_on_request" {
  variables { method_metrics = true }

  assert {
    condition     = aws_api_gateway_method_settings.all.settings[0].metrics_enabled
    error_message = "method_metrics must turn the metrics on."
  }
}
