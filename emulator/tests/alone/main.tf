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
  skip_requesting_account_id  = true
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
