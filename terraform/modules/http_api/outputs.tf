output "execution_arn" {
  description = "Execution ARN of the API. Callers who sign need execute-api:Invoke on EXECUTION_ARN/$default/METHOD/PATH."
  value       = aws_apigatewayv2_api.this.execution_arn
}

output "id" {
  description = "ID of the API."
  value       = aws_apigatewayv2_api.this.id
}

output "url" {
  description = "URL of the API on AWS, without a slash at the end. An emulator serves the API at its own endpoint."
  value       = aws_apigatewayv2_api.this.api_endpoint
}
