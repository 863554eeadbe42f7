resource "aws_iam_role" "this" {
  name        = local.full_name
  description = "What ${local.full_name} may do"

  #iam:unconditional Lambda - AWS does not document that Lambda sets aws:SourceArn or aws:SourceAccount when it assumes an execution role, so a condition on them could shut it out; who may pass the role to a function is decided by iam:PassRole, which works within the account only
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Lambda"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "permissions" {
  count = length(local.permissions) > 0 ? 1 : 0
  name  = "permissions"
  role  = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for name, permission in local.permissions : merge(
      {
        Sid      = replace(title(replace(name, "/[^A-Za-z0-9]/", " ")), " ", "")
        Effect   = "Allow"
        Action   = permission.actions
        Resource = permission.resources
      },
      length(permission.conditions) > 0 ? { Condition = permission.conditions } : {},
    )]
  })
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.this.arn}:*"
    }]
  })
}

resource "aws_iam_role_policy" "tracing" {
  #checkov:skip=CKV_AWS_355:X-Ray knows no resources
  #checkov:skip=CKV_AWS_290:X-Ray knows no resources
  #iam:wildcard Trace - X-Ray knows no resources
  #iam:unproven xray:* - the runtime sends traces by a daemon that no emulator has
  count = var.tracing ? 1 : 0
  name  = "tracing"
  role  = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Trace"
      Effect   = "Allow"
      Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      Resource = "*"
    }]
  })
}

resource "aws_iam_role_policy" "vpc" {
  #checkov:skip=CKV_AWS_355:Lambda checks these on every resource before an interface exists (AWSLambdaVPCAccessExecutionRole)
  #checkov:skip=CKV_AWS_290:Lambda checks these on every resource before an interface exists (AWSLambdaVPCAccessExecutionRole)
  #iam:wildcard Interfaces - Lambda checks these on every resource before an interface exists (AWSLambdaVPCAccessExecutionRole)
  #iam:unproven ec2:* - Lambda itself makes the interfaces; https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html names these actions
  count = var.vpc == null ? 0 : 1
  name  = "vpc"
  role  = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Interfaces"
      Effect = "Allow"
      Action = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      Resource = "*"
    }]
  })
}
