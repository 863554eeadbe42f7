# trigger_url.tf - runs the function on requests to its own URL, by default only for callers of this account

locals {
  url_callers = merge([for name, trigger in local.triggers.url : {
    for index, arn in trigger.caller_arns : "${name}-${index}" => arn
  }]...)
  url_public = { for name, trigger in local.triggers.url : name => trigger if trigger.auth == "NONE" }
}

resource "aws_lambda_function_url" "url" {
  #checkov:skip=CKV_AWS_258:AWS_IAM by default; NONE requires a public_reason
  for_each           = local.triggers.url
  function_name      = aws_lambda_function.this.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = each.value.auth

  dynamic "cors" {
    for_each = length(each.value.cors_origins) > 0 ? [each.value.cors_origins] : []

    content {
      allow_origins = cors.value
      allow_methods = ["*"]
      allow_headers = ["authorization", "content-type", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]
      max_age       = 3600
    }
  }

  depends_on = [terraform_data.order]
}

# Callers of a URL need both permissions (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html). Version 5 of the
# provider can't limit lambda:InvokeFunction to calls through the URL, so these callers can also invoke the alias
# through the Lambda API (https://github.com/hashicorp/terraform-provider-aws/issues/44829).

resource "aws_lambda_permission" "url_callers" {
  for_each               = local.url_callers
  statement_id           = "url-${each.key}"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.this.function_name
  qualifier              = aws_lambda_alias.live.name
  principal              = each.value
  function_url_auth_type = "AWS_IAM"
}

resource "aws_lambda_permission" "url_callers_invoke" {
  for_each      = local.url_callers
  statement_id  = "url-${each.key}-invoke"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = each.value
}

resource "aws_lambda_permission" "url_public" {
  #checkov:skip=CKV_AWS_301:created only with a public_reason
  for_each               = local.url_public
  statement_id           = "url-${each.key}-public"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.this.function_name
  qualifier              = aws_lambda_alias.live.name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "url_public_invoke" {
  #checkov:skip=CKV_AWS_301:created only with a public_reason
  for_each      = local.url_public
  statement_id  = "url-${each.key}-public-invoke"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "*"
}

output "urls" {
  description = "URLs of the function, by trigger name."
  value       = { for name, url in aws_lambda_function_url.url : name => url.function_url }
}
