output "api_key" {
  description = "Value of the API key, for the header X-Api-Key; null with another auth."
  value       = one(aws_api_gateway_api_key.this[*].value)
  sensitive   = true
}

output "execution_arn" {
  description = "For `execution_arn` of the function's API trigger."
  value       = aws_api_gateway_rest_api.this.execution_arn
}

output "id" {
  description = "Id of the API."
  value       = aws_api_gateway_rest_api.this.id
}

output "stage" {
  description = "Name of the stage."
  value       = var.stage
}

output "url" {
  description = "URL on AWS; an emulator serves the API, by its id, at its own endpoint."
  value       = aws_api_gateway_stage.this.invoke_url
}
