output "catalog_table" {
  description = "Name of the table with an item for each photo: size, format, colours, thumbnails or the reason why none."
  value       = aws_dynamodb_table.catalog.name
}

output "dlq_url" {
  description = "URL of the dead-letter queue, which holds uploads that failed five times."
  value       = module.queue.dlq_url
}

output "thumbnails" {
  description = "Name of the bucket with the thumbnails."
  value       = module.thumbnails.name
}

output "uploads" {
  description = "Name of the bucket to upload photos to."
  value       = module.uploads.name
}
