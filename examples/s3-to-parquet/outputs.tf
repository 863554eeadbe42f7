output "failures_queue_url" {
  description = "URL of the queue of files that could not be converted, with the error."
  value       = module.parquet.failures_queue_url
}

output "incoming" {
  description = "Name of the bucket to put CSV files into."
  value       = module.incoming.name
}

output "tables" {
  description = "Name of the bucket of Parquet files."
  value       = module.tables.name
}
