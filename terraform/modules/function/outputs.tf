output "alias_arn" {
  description = "ARN of the alias live, which all callers invoke."
  value       = aws_lambda_alias.live.arn
}

output "alias_invoke_arn" {
  description = "Invoke ARN of the alias live, for API Gateway."
  value       = aws_lambda_alias.live.invoke_arn
}

output "arn" {
  description = "ARN of the function without a version or alias."
  value       = aws_lambda_function.this.arn
}

output "alarm_arns" {
  description = "ARNs of the function's alarms: duration, errors, throttles, failures and iterator_age."
  value = merge(
    {
      duration  = aws_cloudwatch_metric_alarm.duration.arn
      errors    = aws_cloudwatch_metric_alarm.errors.arn
      throttles = aws_cloudwatch_metric_alarm.throttles.arn
    },
    local.has_failures ? { failures = aws_cloudwatch_metric_alarm.failures[0].arn } : {},
    local.has_streams ? { iterator_age = aws_cloudwatch_metric_alarm.iterator_age[0].arn } : {},
  )
}

output "event_source_mappings" {
  description = "ARNs and UUIDs of the event source mappings, by trigger kind and name (such as sqs/uploads)."
  value = merge([for kind, mappings in {
    dynamodb_stream = aws_lambda_event_source_mapping.dynamodb_stream
    kinesis         = aws_lambda_event_source_mapping.kinesis
    sqs             = aws_lambda_event_source_mapping.sqs
  } : { for name, mapping in mappings : "${kind}/${name}" => { arn = mapping.arn, uuid = mapping.uuid } }]...)
}

output "failures_queue_arn" {
  description = "ARN of the failures queue; null if the function has no asynchronous or stream trigger."
  value       = one(aws_sqs_queue.failures[*].arn)
}

output "failures_queue_url" {
  description = "URL of the failures queue; null if the function has no asynchronous or stream trigger."
  value       = one(aws_sqs_queue.failures[*].url)
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
  description = "Timeout of the function in seconds, for consumer_timeout_s of its queue."
  value       = var.timeout_s
}

output "version" {
  description = "Newest published version of the function."
  value       = aws_lambda_function.this.version
}
