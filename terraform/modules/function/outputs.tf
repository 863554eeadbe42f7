output "alias_arn" {
  description = "ARN of the alias live: what to invoke."
  value       = aws_lambda_alias.live.arn
}

output "alias_invoke_arn" {
  description = "ARN by which API Gateway invokes the alias live."
  value       = aws_lambda_alias.live.invoke_arn
}

output "arn" {
  description = "ARN of the function, without version or alias."
  value       = aws_lambda_function.this.arn
}

output "event_source_mapping_ids" {
  description = "UUIDs of the event source mappings, by kind and name of the trigger (sqs/uploads)."
  value       = { for name, mapping in aws_lambda_event_source_mapping.sqs : "sqs/${name}" => mapping.uuid }
}

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "log_group" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "Name of the function's role."
  value       = aws_iam_role.this.name
}

output "timeout_s" {
  description = "The function's timeout in seconds, for the visibility timeout of its queue."
  value       = var.timeout_s
}

output "version" {
  description = "The newest published version."
  value       = aws_lambda_function.this.version
}
