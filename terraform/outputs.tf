output "catalog_table" {
  description = "Name of the DynamoDB table of images."
  value       = aws_dynamodb_table.catalog.name
}

output "environment" {
  description = "Name of the environment: the workspace."
  value       = terraform.workspace
}

output "functions" {
  description = "Every function, by the name of its folder."
  value = { for name, function in {
    thumbnailer = module.thumbnailer
    } : name => {
    alias_arn     = function.alias_arn
    arn           = function.arn
    function_name = function.function_name
    log_group     = function.log_group
    role_name     = function.role_name
  } }
}

output "prefix" {
  description = "Prefix of every name."
  value       = local.prefix
}

output "thumbnails_bucket" {
  description = "Name of the bucket that thumbnails are written to."
  value       = module.thumbnails.name
}

output "uploads_bucket" {
  description = "Name of the bucket that photos are uploaded to."
  value       = module.uploads.name
}

output "uploads_dlq_url" {
  description = "URL of the queue of uploads that failed for good."
  value       = module.uploads_queue.dlq_url
}

output "uploads_queue_url" {
  description = "URL of the queue between uploads bucket and thumbnailer."
  value       = module.uploads_queue.url
}
