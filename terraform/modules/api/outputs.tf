output "api_key" {
  description = "Value of the API key, for the header X-Api-Key; null unless auth is api_key."
  value       = one(aws_api_gateway_api_key.this[*].value)
  sensitive   = true
}

output "execution_arn" {
  description = "Execution ARN of the API, for `execution_arn` of the function's API trigger."
  value       = aws_api_gateway_rest_api.this.execution_arn
}

output "id" {
  description = "ID of the API."
  value       = aws_api_gateway_rest_api.this.id
}

output "stage" {
  description = "Name of the stage."
  value       = var.stage
}

output "url" {
  description = "URL of the stage on AWS. An emulator serves the API at its own endpoint, by the API's ID."
  value       = aws_api_gateway_stage.this.invoke_url
}
