output "activity_stream" {
  description = "Name of the Kinesis stream of view events."
  value       = aws_kinesis_stream.activity.name
}

output "activity_table" {
  description = "Name of the DynamoDB table of view counters."
  value       = aws_dynamodb_table.activity.name
}

output "alb_url" {
  description = "URL of the internal load balancer; null if there is none."
  value       = local.alb_url
}

output "analytics_bucket" {
  description = "Name of the bucket for Parquet files."
  value       = module.analytics.name
}

output "api_id" {
  description = "ID of the REST API, which is part of its URL on an emulator."
  value       = module.api.id
}

output "api_key" {
  description = "API key for the header X-Api-Key; null if callers authenticate in another way."
  value       = module.api.api_key
  sensitive   = true
}

output "api_stage" {
  description = "Stage of the REST API."
  value       = module.api.stage
}

output "api_url" {
  description = "URL of the REST API on AWS."
  value       = module.api.url
}

output "backfill_state_machine_arn" {
  description = "ARN of the state machine for backfills; null if there is none."
  value       = one(aws_sfn_state_machine.backfill[*].arn)
}

output "catalog_table" {
  description = "Name of the DynamoDB table of images."
  value       = aws_dynamodb_table.catalog.name
}

output "environment" {
  description = "Name of the environment, which is the workspace."
  value       = terraform.workspace
}

output "functions" {
  description = "All functions, by folder name."
  value = { for name, function in local.functions : name => {
    alias_arn     = function.alias_arn
    arn           = function.arn
    function_name = function.function_name
    log_group     = function.log_group
    role_name     = function.role_name
  } }
}

output "gallery_url" {
  description = "URL of the gallery on AWS."
  value       = local.gallery_url
}

output "metrics_namespace" {
  description = "CloudWatch namespace of the functions' own metrics."
  value       = local.metrics_namespace
}

output "notices_topic_arn" {
  description = "ARN of the SNS topic for notices of images, digests and recoveries."
  value       = aws_sns_topic.notices.arn
}

output "prefix" {
  description = "Prefix of all names."
  value       = local.prefix
}

output "raw_bucket" {
  description = "Name of the bucket for CSV and JSON files to convert."
  value       = module.raw.name
}

output "state_table" {
  description = "Name of the DynamoDB table for the state of functions."
  value       = aws_dynamodb_table.state.name
}

output "thumbnails_bucket" {
  description = "Name of the bucket for thumbnails."
  value       = module.thumbnails.name
}

output "uploads_bucket" {
  description = "Name of the bucket for photos."
  value       = module.uploads.name
}

output "uploads_dlq_url" {
  description = "URL of the dead-letter queue for uploads that failed."
  value       = module.uploads_queue.dlq_url
}

output "uploads_queue_url" {
  description = "URL of the queue between the uploads bucket and the thumbnailer."
  value       = module.uploads_queue.url
}
