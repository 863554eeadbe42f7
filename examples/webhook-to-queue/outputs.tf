output "api_id" {
  description = "ID of the REST API, which is part of its URL on an emulator."
  value       = module.api.id
}

output "archive" {
  description = "Name of the bucket that the worker writes to."
  value       = module.archive.name
}

output "dlq_url" {
  description = "URL of the dead-letter queue for deliveries that the worker failed to process."
  value       = module.deliveries.dlq_url
}

output "secret" {
  description = "Name of the SSM parameter (SecureString) with the webhook's secret."
  value       = local.secret
}

output "webhook_url" {
  description = "URL to which the sender posts webhooks."
  value       = "${module.api.url}/webhook"
}
