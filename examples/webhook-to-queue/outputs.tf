output "api_id" {
  description = "Id of the REST API, by which an emulator serves it."
  value       = module.api.id
}

output "archive" {
  description = "Name of the bucket that the worker writes to."
  value       = module.archive.name
}

output "dlq_url" {
  description = "URL of the queue of deliveries that the worker failed at for good."
  value       = module.deliveries.dlq_url
}

output "secret" {
  description = "Name of the SSM parameter (SecureString) that holds the webhook's secret."
  value       = local.secret
}

output "webhook_url" {
  description = "URL to give to the sender."
  value       = "${module.api.url}/webhook"
}
