# Callers sign their requests (IAM, which needs no authorizer), send a JWT, or are accepted by an authorizer function.

resource "aws_apigatewayv2_authorizer" "jwt" {
  count            = var.auth == "jwt" ? 1 : 0
  api_id           = aws_apigatewayv2_api.this.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audiences
  }
}

resource "aws_apigatewayv2_authorizer" "lambda" {
  count                             = var.auth == "lambda" ? 1 : 0
  api_id                            = aws_apigatewayv2_api.this.id
  name                              = "lambda"
  authorizer_type                   = "REQUEST"
  authorizer_payload_format_version = "2.0"
  authorizer_result_ttl_in_seconds  = var.lambda_authorizer.cache_s
  authorizer_uri                    = "arn:${local.authorizer[1]}:apigateway:${local.authorizer[3]}:lambda:path/2015-03-31/functions/${var.lambda_authorizer.alias_arn}/invocations"
  enable_simple_responses           = true # the function answers {"isAuthorized": true, "context": {...}}
  identity_sources                  = var.lambda_authorizer.identity_sources
}

resource "aws_lambda_permission" "authorizer" {
  count          = length(aws_apigatewayv2_authorizer.lambda)
  statement_id   = "http-api-${aws_apigatewayv2_api.this.id}-authorizer"
  action         = "lambda:InvokeFunction"
  function_name  = local.authorizer[6]
  qualifier      = local.authorizer[7]
  principal      = "apigateway.amazonaws.com"
  source_account = local.authorizer[4]
  source_arn     = "${aws_apigatewayv2_api.this.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.lambda[0].id}"
}
