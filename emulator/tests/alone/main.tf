# A project that knows nothing of the emulator: only AWS_ENDPOINT_URL leads to it.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "owner" {
  default = "somebody"
}

provider "aws" {
  region                      = "us-east-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  default_tags {
    tags = { Owner = var.owner }
  }
}

resource "aws_s3_bucket" "copies" {
  bucket        = "somebodys-copies"
  force_destroy = true
}

resource "aws_sqs_queue" "orders" {
  name = "somebodys-orders"
}

resource "aws_iam_role" "copier" {
  name = "somebodys-copier"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "copier" {
  role = aws_iam_role.copier.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], Resource = "*" },
      { Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], Resource = aws_sqs_queue.orders.arn },
      { Effect = "Allow", Action = "s3:PutObject", Resource = "${aws_s3_bucket.copies.arn}/*" },
    ]
  })
}

resource "aws_lambda_function" "copier" {
  function_name    = "somebodys-copier"
  role             = aws_iam_role.copier.arn
  runtime          = "python3.13"
  handler          = "app.handler"
  filename         = "app.zip"
  source_code_hash = filebase64sha256("app.zip")
  timeout          = 10
  environment {
    variables = { BUCKET = aws_s3_bucket.copies.bucket }
  }
}

resource "aws_lambda_event_source_mapping" "orders" {
  event_source_arn = aws_sqs_queue.orders.arn
  function_name    = aws_lambda_function.copier.arn
  depends_on       = [aws_iam_role_policy.copier]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "somebodys-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.copier.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
}

resource "aws_apigatewayv2_api" "orders" {
  name          = "somebodys-orders"
  protocol_type = "HTTP"
  cors_configuration {
    allow_origins = ["https://example.com"]
    allow_methods = ["GET"]
  }
}

resource "aws_apigatewayv2_integration" "copier" {
  api_id                 = aws_apigatewayv2_api.orders.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.copier.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_authorizer" "members" {
  api_id           = aws_apigatewayv2_api.orders.id
  name             = "members"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]
  jwt_configuration {
    audience = ["somebody"]
    issuer   = "https://example.com"
  }
}

resource "aws_apigatewayv2_route" "order" {
  api_id    = aws_apigatewayv2_api.orders.id
  route_key = "GET /orders/{id}"
  target    = "integrations/${aws_apigatewayv2_integration.copier.id}"
}

resource "aws_apigatewayv2_route" "members" {
  api_id               = aws_apigatewayv2_api.orders.id
  route_key            = "GET /members"
  target               = "integrations/${aws_apigatewayv2_integration.copier.id}"
  authorization_type   = "JWT"
  authorizer_id        = aws_apigatewayv2_authorizer.members.id
  authorization_scopes = ["read"]
}

resource "aws_apigatewayv2_deployment" "first" {
  api_id     = aws_apigatewayv2_api.orders.id
  depends_on = [aws_apigatewayv2_route.order]
}

resource "aws_apigatewayv2_stage" "orders" {
  for_each      = { "$default" = null, "v1" = aws_apigatewayv2_deployment.first.id }
  api_id        = aws_apigatewayv2_api.orders.id
  name          = each.key
  deployment_id = each.value
  auto_deploy   = each.value == null
}

resource "aws_lambda_permission" "orders" {
  function_name = aws_lambda_function.copier.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.orders.execution_arn}/*/*"
}
