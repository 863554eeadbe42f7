resource "aws_iam_role" "this" {
  name                 = local.full_name
  description          = "What ${local.full_name} may do"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  # A condition on a key that Lambda doesn't set would lock Lambda out. iam:PassRole controls which functions can get
  # this role, and works only within the account.
  #iam:unconditional Lambda - AWS doesn't document that Lambda sets these keys when it assumes an execution role
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
  #checkov:skip=CKV_AWS_355:X-Ray doesn't support resource-level permissions
  #checkov:skip=CKV_AWS_290:X-Ray doesn't support resource-level permissions
  #iam:wildcard Trace - X-Ray doesn't support resource-level permissions
  #iam:unproven xray:* - the runtime sends traces through a daemon that emulators don't have
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
  # The actions are from https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  #checkov:skip=CKV_AWS_355:the interfaces don't exist when Lambda checks these actions
  #checkov:skip=CKV_AWS_290:the interfaces don't exist when Lambda checks these actions
  #iam:wildcard Interfaces - the interfaces don't exist when Lambda checks these actions
  #iam:unproven ec2:* - Lambda itself calls these actions, not the function's code
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
