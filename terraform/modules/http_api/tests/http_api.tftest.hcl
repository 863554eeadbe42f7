mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name = "eventloom-test-orders"
  functions = {
    orders = "arn:aws:lambda:eu-west-1:123456789012:function:orders:live"
    rest   = "arn:aws:lambda:eu-west-1:123456789012:function:rest:live"
  }
  routes = {
    "GET /orders/{id}"   = { function = "orders" }
    "ANY /files/{path+}" = { function = "rest" }
    "GET /health"        = { function = "rest", open = true }
    "$default"           = { function = "rest" }
  }
}

run "each_route_runs_its_function" {
  assert {
    condition     = alltrue([for key, route in aws_apigatewayv2_route.this : route.route_key == key && route.target == "integrations/${aws_apigatewayv2_integration.this[var.routes[key].function].id}"])
    error_message = "Each route must have the integration of its function."
  }

  assert {
    condition     = alltrue([for name, integration in aws_apigatewayv2_integration.this : integration.integration_uri == var.functions[name] && integration.payload_format_version == "2.0" && integration.integration_type == "AWS_PROXY"])
    error_message = "Functions must get events of format 2.0, and by their alias."
  }

  assert {
    condition     = toset([for key, route in aws_apigatewayv2_route.this : key if route.authorization_type == "NONE"]) == toset(["GET /health"])
    error_message = "Only open routes may need no authentication."
  }

  assert {
    condition     = alltrue([for key, route in aws_apigatewayv2_route.this : route.authorization_type == "AWS_IAM" && route.authorizer_id == null if key != "GET /health"])
    error_message = "By default requests must be signed."
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.name == "$default" && aws_apigatewayv2_stage.this.auto_deploy
    error_message = "The stage must deploy every change, or routes that are removed stay."
  }
}

run "a_function_may_be_run_by_its_routes_only" {
  assert {
    condition = { for key, permission in aws_lambda_permission.route : key => permission.source_arn } == {
      "GET /orders/{id}"   = "arn:aws:execute-api:eu-west-1:123456789012:mock/$default/GET/orders/{id}"
      "ANY /files/{path+}" = "arn:aws:execute-api:eu-west-1:123456789012:mock/$default/*/files/{path+}"
      "GET /health"        = "arn:aws:execute-api:eu-west-1:123456789012:mock/$default/GET/health"
      "$default"           = "arn:aws:execute-api:eu-west-1:123456789012:mock/$default/$default"
    }
    error_message = "A permission must name its route."
  }

  assert {
    condition     = alltrue([for key, permission in aws_lambda_permission.route : permission.function_name == var.routes[key].function && permission.qualifier == "live" && permission.source_account == "123456789012" && permission.principal == "apigateway.amazonaws.com"])
    error_message = "A permission must be that of the alias which the route runs, for the API's account."
  }

  assert {
    condition     = length(distinct([for permission in aws_lambda_permission.route : permission.statement_id])) == 4 && alltrue([for permission in aws_lambda_permission.route : can(regex("^[A-Za-z0-9_-]{1,100}$", permission.statement_id))])
    error_message = "Statements of one function need different IDs, which Lambda accepts."
  }

  assert {
    condition     = length(aws_apigatewayv2_authorizer.jwt) == 0 && length(aws_apigatewayv2_authorizer.lambda) == 0 && length(aws_lambda_permission.authorizer) == 0
    error_message = "Signed requests need no authorizer."
  }
}

run "limits_logs_and_alarm" {
  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:alarms"]
    routes = {
      "GET /search" = { function = "orders", throttle = { rate = 1, burst = 2 } }
      "GET /"       = { function = "orders" }
    }
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 50 && aws_apigatewayv2_stage.this.default_route_settings[0].throttling_burst_limit == 100
    error_message = "All routes must be throttled."
  }

  assert {
    condition     = [for settings in aws_apigatewayv2_stage.this.route_settings : [settings.route_key, settings.throttling_rate_limit, settings.throttling_burst_limit]] == [["GET /search", 1, 2]]
    error_message = "A route with its own throttle must have it."
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.access[0].arn && startswith(aws_cloudwatch_log_group.access[0].name, "/aws/vendedlogs/")
    error_message = "Requests must be logged."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.errors.metric_name == "5xx" && aws_cloudwatch_metric_alarm.errors.dimensions == tomap({ ApiId = aws_apigatewayv2_api.this.id, Stage = "$default" }) && aws_cloudwatch_metric_alarm.errors.alarm_actions == toset(var.alarm_topic_arns)
    error_message = "Server errors must be noticed."
  }

  assert {
    condition     = !aws_apigatewayv2_stage.this.default_route_settings[0].detailed_metrics_enabled && alltrue([for settings in aws_apigatewayv2_stage.this.route_settings : !settings.detailed_metrics_enabled])
    error_message = "Metrics that nobody reads must be off."
  }

  assert {
    condition     = length(aws_apigatewayv2_api.this.cors_configuration) == 0
    error_message = "Without cors no other origin may read answers."
  }
}

run "without_access_logs_and_with_metrics_of_routes" {
  variables {
    access_logs   = false
    route_metrics = true
  }

  assert {
    condition     = length(aws_apigatewayv2_stage.this.access_log_settings) == 0 && length(aws_cloudwatch_log_group.access) == 0
    error_message = "There must be no log group."
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].detailed_metrics_enabled
    error_message = "route_metrics must turn the metrics on."
  }
}

run "tokens" {
  variables {
    auth = "jwt"
    jwt  = { issuer = "https://issuer.example.org", audiences = ["orders"] }
    routes = {
      "GET /orders"  = { function = "orders" }
      "POST /orders" = { function = "orders", scopes = ["orders:write"] }
      "GET /health"  = { function = "orders", open = true }
    }
  }

  assert {
    condition     = { for key, route in aws_apigatewayv2_route.this : key => route.authorization_type } == { "GET /orders" = "JWT", "POST /orders" = "JWT", "GET /health" = "NONE" }
    error_message = "Every route that is not open must need a token."
  }

  assert {
    condition     = aws_apigatewayv2_route.this["POST /orders"].authorization_scopes == toset(["orders:write"]) && aws_apigatewayv2_route.this["POST /orders"].authorizer_id == aws_apigatewayv2_authorizer.jwt[0].id && aws_apigatewayv2_route.this["GET /health"].authorizer_id == null
    error_message = "A token must have one of the route's scopes."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.jwt[0].jwt_configuration[0].issuer == var.jwt.issuer && aws_apigatewayv2_authorizer.jwt[0].jwt_configuration[0].audience == toset(["orders"])
    error_message = "Only tokens of this issuer, for this audience, may be accepted."
  }
}

run "a_function_decides" {
  variables {
    auth              = "lambda"
    lambda_authorizer = { alias_arn = "arn:aws:lambda:eu-west-1:123456789012:function:gatekeeper:live" }
  }

  assert {
    condition     = aws_apigatewayv2_route.this["$default"].authorization_type == "CUSTOM" && aws_apigatewayv2_route.this["$default"].authorizer_id == aws_apigatewayv2_authorizer.lambda[0].id
    error_message = "The function must decide about each route that is not open."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.lambda[0].authorizer_uri == "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:gatekeeper:live/invocations" && aws_apigatewayv2_authorizer.lambda[0].authorizer_payload_format_version == "2.0" && aws_apigatewayv2_authorizer.lambda[0].enable_simple_responses
    error_message = "The authorizer must call the alias, with format 2.0."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.lambda[0].authorizer_result_ttl_in_seconds == 0
    error_message = "A decision about one route must not be reused for another one unless the caller of the module says so."
  }

  assert {
    condition     = aws_lambda_permission.authorizer[0].function_name == "gatekeeper" && aws_lambda_permission.authorizer[0].qualifier == "live" && aws_lambda_permission.authorizer[0].source_arn == "arn:aws:execute-api:eu-west-1:123456789012:mock/authorizers/${aws_apigatewayv2_authorizer.lambda[0].id}"
    error_message = "Only this authorizer may run the function."
  }
}

run "web_pages_of_another_origin" {
  variables {
    cors = { allow_origins = ["https://example.org"] }
    routes = {
      "GET /orders"      = { function = "orders" }
      "$default"         = { function = "rest" }
      "OPTIONS /{path+}" = { function = "rest", open = true }
    }
  }

  assert {
    condition     = aws_apigatewayv2_api.this.cors_configuration[0].allow_origins == toset(["https://example.org"]) && contains(aws_apigatewayv2_api.this.cors_configuration[0].allow_headers, "authorization") && !aws_apigatewayv2_api.this.cors_configuration[0].allow_credentials
    error_message = "The origin must be allowed to send a token, but no cookies."
  }
}

run "cors_that_a_closed_default_route_defeats" {
  command = plan
  variables { cors = { allow_origins = ["https://example.org"] } }
  expect_failures = [var.cors]
}

run "cors_with_credentials_for_everybody" {
  command = plan
  variables {
    cors   = { allow_origins = ["*"], allow_credentials = true }
    routes = { "GET /" = { function = "orders" } }
  }
  expect_failures = [var.cors]
}

run "cors_with_a_path_in_the_origin" {
  command = plan
  variables {
    cors   = { allow_origins = ["https://example.org/"] }
    routes = { "GET /" = { function = "orders" } }
  }
  expect_failures = [var.cors]
}

run "route_of_an_unknown_function" {
  command = plan
  variables { routes = { "GET /" = { function = "order" } } }
  expect_failures = [var.routes]
}

run "route_without_a_method" {
  command = plan
  variables { routes = { "/orders" = { function = "orders" } } }
  expect_failures = [var.routes]
}

run "route_with_a_greedy_variable_in_the_middle" {
  command = plan
  variables { routes = { "GET /{path+}/orders" = { function = "orders" } } }
  expect_failures = [var.routes]
}

run "routes_of_every_form" {
  command = plan
  variables {
    routes = {
      "GET /"                      = { function = "orders" }
      "ANY /{path+}"               = { function = "orders" }
      "DELETE /a.b/{c}/d-e/{f}"    = { function = "orders" }
      "PATCH /v1/{tenant}/{rest+}" = { function = "orders" }
    }
  }

  assert {
    condition     = length(aws_apigatewayv2_route.this) == 4
    error_message = "All of these are routes."
  }
}

run "scopes_without_tokens" {
  command = plan
  variables { routes = { "GET /" = { function = "orders", scopes = ["read"] } } }
  expect_failures = [var.routes]
}

run "throttle_of_zero_for_a_route" {
  command = plan
  variables { routes = { "GET /" = { function = "orders", throttle = { rate = 0, burst = 1 } } } }
  expect_failures = [var.routes]
}

run "throttle_of_zero" {
  command = plan
  variables { throttle = { rate = 1, burst = 0 } }
  expect_failures = [var.throttle]
}

run "function_without_an_alias" {
  command = plan
  variables {
    functions = { orders = "arn:aws:lambda:eu-west-1:123456789012:function:orders" }
    routes    = { "GET /" = { function = "orders" } }
  }
  expect_failures = [var.functions]
}

run "unknown_auth" {
  command = plan
  variables { auth = "api_key" }
  expect_failures = [var.auth]
}

run "tokens_of_nobody" {
  command = plan
  variables { auth = "jwt" }
  expect_failures = [var.jwt]
}

run "tokens_for_no_audience" {
  command = plan
  variables {
    auth = "jwt"
    jwt  = { issuer = "https://issuer.example.org", audiences = [] }
  }
  expect_failures = [var.jwt]
}

run "authorizer_that_auth_does_not_use" {
  command = plan
  variables { lambda_authorizer = { alias_arn = "arn:aws:lambda:eu-west-1:123456789012:function:gatekeeper:live" } }
  expect_failures = [var.lambda_authorizer]
}

run "authorizer_with_a_long_cache" {
  command = plan
  variables {
    auth              = "lambda"
    lambda_authorizer = { alias_arn = "arn:aws:lambda:eu-west-1:123456789012:function:gatekeeper:live", cache_s = 3601 }
  }
  expect_failures = [var.lambda_authorizer]
}

run "name_with_a_space" {
  command = plan
  variables { name = "my api" }
  expect_failures = [var.name]
}

run "tags" {
  variables { tags = { CostCenter = "photos" } }

  assert {
    condition = alltrue([for tags in [
      aws_apigatewayv2_api.this.tags, aws_apigatewayv2_stage.this.tags, aws_cloudwatch_log_group.access[0].tags,
      aws_cloudwatch_metric_alarm.errors.tags,
    ] : tags == tomap({ CostCenter = "photos" })])
    error_message = "Every resource that AWS lets one tag must have the tags."
  }
}

run "tag_that_only_aws_may_set" {
  command = plan
  variables { tags = { "aws:owner" = "me" } }
  expect_failures = [var.tags]
}
