# trigger_api.tf - runs the function on requests to a REST API of modules/api

resource "aws_lambda_permission" "api" {
  for_each       = local.triggers.api
  statement_id   = "api-${each.key}"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  qualifier      = aws_lambda_alias.live.name
  principal      = "apigateway.amazonaws.com"
  source_arn     = "${each.value.execution_arn}/${each.value.stage}/*"
  source_account = local.account_id
}
