output "activity_stream" {
  description = "Name of the Kinesis stream of what people look at."
  value       = aws_kinesis_stream.activity.name
}

output "activity_table" {
  description = "Name of the DynamoDB table of its counters."
  value       = aws_dynamodb_table.activity.name
}

output "alb_url" {
  description = "URL of the load balancer within the network; null without one."
  value       = local.alb_url
}

output "analytics_bucket" {
  description = "Name of the bucket of Parquet files."
  value       = module.analytics.name
}

output "api_id" {
  description = "Id of the REST API, by which an emulator serves it."
  value       = module.api.id
}

output "api_key" {
  description = "API key for the header X-Api-Key; null where callers are authenticated otherwise."
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
  description = "ARN of the state machine that sends existing objects through the pipeline; null without one."
  value       = one(aws_sfn_state_machine.backfill[*].arn)
}

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
  value = { for name, function in local.functions : name => {
    alias_arn     = function.alias_arn
    arn           = function.arn
    function_name = function.function_name
    log_group     = function.log_group
    role_name     = function.role_name
  } }
}

output "gallery_url" {
  description = "Address of the gallery on AWS: the page that the API serves at its root."
  value       = local.gallery_url
}

output "metrics_namespace" {
  description = "CloudWatch namespace of the functions' own metrics."
  value       = local.metrics_namespace
}

output "notices_topic_arn" {
  description = "ARN of the topic of notices: images, digests, recoveries."
  value       = aws_sns_topic.notices.arn
}

output "prefix" {
  description = "Prefix of every name."
  value       = local.prefix
}

output "raw_bucket" {
  description = "Name of the bucket that CSV and JSON files are uploaded to."
  value       = module.raw.name
}

output "state_table" {
  description = "Name of the DynamoDB table of what functions remember."
  value       = aws_dynamodb_table.state.name
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
