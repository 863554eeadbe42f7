# Callers authenticate with an API key and its usage plan, a signed request, or a token of a Cognito user pool.

resource "aws_api_gateway_api_key" "this" {
  count = var.auth == "api_key" ? 1 : 0
  name  = var.name
  tags  = var.tags
}

resource "aws_api_gateway_usage_plan" "this" {
  count = var.auth == "api_key" ? 1 : 0
  name  = var.name
  tags  = var.tags

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    rate_limit  = var.throttle.rate
    burst_limit = var.throttle.burst
  }

  dynamic "quota_settings" {
    for_each = var.quota_per_day == null ? [] : [var.quota_per_day]

    content {
      limit  = quota_settings.value
      period = "DAY"
    }
  }
}

resource "aws_api_gateway_usage_plan_key" "this" {
  count         = var.auth == "api_key" ? 1 : 0
  key_id        = aws_api_gateway_api_key.this[0].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.this[0].id
}

resource "aws_api_gateway_authorizer" "cognito" {
  count         = var.auth == "cognito" ? 1 : 0
  name          = "cognito"
  rest_api_id   = aws_api_gateway_rest_api.this.id
  type          = "COGNITO_USER_POOLS"
  provider_arns = var.user_pool_arns
}
