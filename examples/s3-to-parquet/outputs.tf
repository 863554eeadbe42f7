output "failures_queue_url" {
  description = "URL of the failures queue, which holds failed conversions with the error."
  value       = module.parquet.failures_queue_url
}

output "incoming" {
  description = "Name of the bucket for CSV files."
  value       = module.incoming.name
}

output "tables" {
  description = "Name of the bucket for Parquet files."
  value       = module.tables.name
}
