output "bucket" {
  description = "Name of the bucket that is counted; reports are under reports/."
  value       = module.files.name
}

output "failures_queue_url" {
  description = "URL of the queue of runs that failed for good."
  value       = module.storage_report.failures_queue_url
}

output "function_name" {
  description = "Name of the function."
  value       = module.storage_report.function_name
}
