output "bucket" {
  description = "Name of the bucket whose objects the job counts. Reports are under reports/."
  value       = module.files.name
}

output "failures_queue_url" {
  description = "URL of the failures queue, which holds runs that failed."
  value       = module.storage_report.failures_queue_url
}

output "function_name" {
  description = "Name of the function."
  value       = module.storage_report.function_name
}
