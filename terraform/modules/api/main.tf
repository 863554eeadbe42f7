# A REST API that passes every request to one function. Resources and methods are declared here instead of in an OpenAPI
# body, because emulators import such bodies only in part. The function's own OpenAPI document describes the operations.

locals {
  open_paths = { for path in setunion(var.open_paths, var.open_posts) : path => compact(split("/", path)) }
  segments   = toset([for path, parts in local.open_paths : parts[0] if path != "/"])
  below      = { for path, parts in local.open_paths : path => parts if length(parts) > 1 }

  resource_ids = merge(
    { "/" = aws_api_gateway_rest_api.this.root_resource_id, "/{proxy+}" = aws_api_gateway_resource.proxy.id },
    { for segment, resource in aws_api_gateway_resource.open : "/${segment}" => resource.id },
    { for path, resource in aws_api_gateway_resource.below : path => resource.id },
  )

  methods = merge(
    { for path in ["/", "/{proxy+}"] : "ANY ${path}" => { path = path, method = "ANY", open = false } },
    { for path in var.cors ? ["/", "/{proxy+}"] : [] : "OPTIONS ${path}" => { path = path, method = "OPTIONS", open = true } },
    { for path in var.open_paths : "GET ${path}" => { path = path, method = "GET", open = true } },
    { for path in var.open_posts : "POST ${path}" => { path = path, method = "POST", open = true } },
  )
}

resource "aws_api_gateway_rest_api" "this" {
  name               = var.name
  description        = var.description
  binary_media_types = ["*/*"] # the function compresses its responses
  tags               = var.tags

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_resource" "proxy" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = "{proxy+}"
}

resource "aws_api_gateway_resource" "open" {
  for_each    = local.segments
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = each.value
}

resource "aws_api_gateway_resource" "below" {
  for_each    = local.below
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.open[each.value[0]].id
  path_part   = each.value[1]
}

resource "aws_api_gateway_method" "this" {
  #checkov:skip=CKV_AWS_59:methods without an authorizer require an API key, except on intentionally open paths
  #checkov:skip=CKV2_AWS_53:the function validates requests against its own OpenAPI document
  for_each         = local.methods
  rest_api_id      = aws_api_gateway_rest_api.this.id
  resource_id      = local.resource_ids[each.value.path]
  http_method      = each.value.method
  authorization    = each.value.open ? "NONE" : { api_key = "NONE", iam = "AWS_IAM", cognito = "COGNITO_USER_POOLS" }[var.auth]
  authorizer_id    = !each.value.open && var.auth == "cognito" ? aws_api_gateway_authorizer.cognito[0].id : null
  api_key_required = !each.value.open && var.auth == "api_key"
}

resource "aws_api_gateway_integration" "this" {
  for_each                = local.methods
  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = local.resource_ids[each.value.path]
  http_method             = aws_api_gateway_method.this[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = var.alias_invoke_arn
}

# API Gateway's own errors use the format of the function's errors, so that clients parse only one (RFC 9457).
resource "aws_api_gateway_gateway_response" "problem" {
  for_each      = toset(["DEFAULT_4XX", "DEFAULT_5XX"])
  rest_api_id   = aws_api_gateway_rest_api.this.id
  response_type = each.value

  response_templates = {
    "application/json" = "{\"type\":\"about:blank\",\"title\":$context.error.messageString,\"request_id\":\"$context.requestId\"}"
  }

  response_parameters = merge(
    { "gatewayresponse.header.Content-Type" = "'application/problem+json'" },
    # Any origin may read these responses: they contain only the error.
    var.cors ? { "gatewayresponse.header.Access-Control-Allow-Origin" = "'*'" } : {},
  )
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  # A deployment is a snapshot. List here everything that it contains; otherwise a change is not deployed.
  triggers = {
    redeployment = sha1(jsonencode([
      filesha1("${path.module}/main.tf"), local.methods, var.alias_invoke_arn, var.auth, var.cors, var.user_pool_arns,
    ]))
  }

  depends_on = [aws_api_gateway_integration.this, aws_api_gateway_gateway_response.problem]

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_73:var.tracing turns X-Ray on
  #checkov:skip=CKV_AWS_120:responses can't be cached: they contain presigned URLs and the newest uploads
  #checkov:skip=CKV2_AWS_4:execution logs would contain credentials; access logs and the function's log are enough
  #checkov:skip=CKV2_AWS_29:callers are authenticated and throttled; a web ACL costs more than everything else here
  #checkov:skip=CKV2_AWS_51:callers authenticate with a key, a signature or a token
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage
  xray_tracing_enabled = var.tracing
  tags                 = var.tags

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access[*].arn

    content {
      destination_arn = access_log_settings.value
      format = jsonencode({
        request_id    = "$context.requestId"
        at            = "$context.requestTimeEpoch"
        method        = "$context.httpMethod"
        path          = "$context.path"
        status        = "$context.status"
        latency_ms    = "$context.responseLatency"
        bytes         = "$context.responseLength"
        source_ip     = "$context.identity.sourceIp"
        api_key_id    = "$context.identity.apiKeyId"
        caller        = "$context.identity.caller"
        user_agent    = "$context.identity.userAgent"
        error         = "$context.error.responseType"
        xray_trace_id = "$context.xrayTraceId"
      })
    }
  }

  # If the name changes, the usage plan moves to the new stage before the old stage is removed, because API Gateway
  # cannot change a usage plan with a missing stage.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_method_settings" "all" {
  #checkov:skip=CKV_AWS_225:responses can't be cached: they contain presigned URLs and the newest uploads
  #checkov:skip=CKV_AWS_308:the stage has no cache
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = var.method_metrics
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }
}
