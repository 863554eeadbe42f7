output "alarm_arns" {
  description = "ARNs of the queue's alarms: age (the oldest message) and dlq (dead letters)."
  value       = { age = aws_cloudwatch_metric_alarm.age.arn, dlq = aws_cloudwatch_metric_alarm.dlq.arn }
}

output "arn" {
  description = "ARN of the queue."
  value       = local.arn # known before the queue exists, so that a plan can compare the queues of triggers
  depends_on  = [aws_sqs_queue.this]
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue."
  value       = local.dlq_arn
  depends_on  = [aws_sqs_queue.dlq]
}

output "dlq_name" {
  description = "Name of the dead-letter queue."
  value       = aws_sqs_queue.dlq.name
}

output "dlq_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dlq.url
}

output "name" {
  description = "Name of the queue."
  value       = aws_sqs_queue.this.name
}

output "url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.this.url
}

output "visibility_timeout_s" {
  description = "Visibility timeout of the queue in seconds."
  value       = local.visibility_timeout_s
}
