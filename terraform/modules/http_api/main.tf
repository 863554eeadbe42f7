# An HTTP API whose routes run functions. Its one stage, $default, has no segment in the URL and deploys each change.

locals {
  # "GET /orders/{id}" => the part of a route's ARN behind the stage. ANY stands for all methods, as * does in an ARN.
  route_arns = {
    for key, route in var.routes : key => (
      key == "$default" ? key : "${replace(split(" ", key)[0], "/^ANY$/", "*")}${split(" ", key)[1]}"
    )
  }

  # arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME:ALIAS
  functions  = { for name, arn in var.functions : name => split(":", arn) }
  authorizer = split(":", var.auth == "lambda" ? var.lambda_authorizer.alias_arn : "")

  # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html
  authorization = { iam = "AWS_IAM", jwt = "JWT", lambda = "CUSTOM" }[var.auth]
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = var.description
  protocol_type = "HTTP"
  tags          = var.tags

  # API Gateway answers preflight requests (OPTIONS) by itself, and adds the headers to the functions' responses.
  dynamic "cors_configuration" {
    for_each = var.cors[*]

    content {
      allow_credentials = cors_configuration.value.allow_credentials
      allow_headers     = cors_configuration.value.allow_headers
      allow_methods     = cors_configuration.value.allow_methods
      allow_origins     = cors_configuration.value.allow_origins
      expose_headers    = cors_configuration.value.expose_headers
      max_age           = cors_configuration.value.max_age_s
    }
  }
}

resource "aws_apigatewayv2_integration" "this" {
  for_each               = var.functions
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = each.value
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:callers authenticate, except on routes that are open on purpose
  for_each             = var.routes
  api_id               = aws_apigatewayv2_api.this.id
  route_key            = each.key
  target               = "integrations/${aws_apigatewayv2_integration.this[each.value.function].id}"
  authorization_type   = each.value.open ? "NONE" : local.authorization
  authorization_scopes = each.value.open ? null : each.value.scopes
  authorizer_id        = each.value.open ? null : one(concat(aws_apigatewayv2_authorizer.jwt[*].id, aws_apigatewayv2_authorizer.lambda[*].id))
}

# Each route gets one permission, so that only a function's own routes can invoke it.
resource "aws_lambda_permission" "route" {
  for_each       = var.routes
  statement_id   = "http-api-${aws_apigatewayv2_api.this.id}-${substr(sha1(each.key), 0, 8)}"
  action         = "lambda:InvokeFunction"
  function_name  = local.functions[each.value.function][6]
  qualifier      = local.functions[each.value.function][7]
  principal      = "apigateway.amazonaws.com"
  source_account = local.functions[each.value.function][4]
  source_arn     = "${aws_apigatewayv2_api.this.execution_arn}/$default/${local.route_arns[each.key]}"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  # Without these limits, this API can use up the account's quota, which all APIs of the account share.
  default_route_settings {
    detailed_metrics_enabled = var.route_metrics
    throttling_rate_limit    = var.throttle.rate
    throttling_burst_limit   = var.throttle.burst
  }

  dynamic "route_settings" {
    for_each = { for key, route in var.routes : key => route.throttle if route.throttle != null }

    content {
      route_key                = route_settings.key
      detailed_metrics_enabled = var.route_metrics
      throttling_rate_limit    = route_settings.value.rate
      throttling_burst_limit   = route_settings.value.burst
    }
  }

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access[*].arn

    content {
      destination_arn = access_log_settings.value
      format = jsonencode({
        request_id  = "$context.requestId"
        at          = "$context.requestTimeEpoch"
        route       = "$context.routeKey"
        method      = "$context.httpMethod"
        path        = "$context.path"
        status      = "$context.status"
        latency_ms  = "$context.responseLatency"
        bytes       = "$context.responseLength"
        source_ip   = "$context.identity.sourceIp"
        caller      = "$context.identity.caller"
        subject     = "$context.authorizer.claims.sub"
        user_agent  = "$context.identity.userAgent"
        error       = "$context.error.message"
        integration = "$context.integrationErrorMessage"
        authorizer  = "$context.authorizer.error"
      })
    }
  }

  # API Gateway rejects settings of a route that does not exist.
  depends_on = [aws_apigatewayv2_route.this]
}
