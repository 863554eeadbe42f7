# Converts CSV and JSON files to Parquet, which Athena can query.

module "raw" {
  source          = "./modules/bucket"
  name            = "${local.prefix}-raw-${local.account_id}"
  force_destroy   = !local.environment.protected
  noncurrent_days = local.environment.object_retention_days
  notifications   = module.converter.s3_notifications
  versioning      = true
}

# This bucket is not versioned, because its files can be recreated from the raw files.
module "analytics" {
  source          = "./modules/bucket"
  name            = "${local.prefix}-analytics-${local.account_id}"
  expire_prefixes = { (local.athena_results) = 7, (local.backfill_results) = 7 }
  force_destroy   = !local.environment.protected
}

module "converter" {
  source               = "./modules/function"
  name                 = "converter"
  prefix               = local.prefix
  package              = "${path.root}/${var.packages}/converter.zip"
  alarm_topic_arns     = [aws_sns_topic.alarms.arn]
  architecture         = var.architecture
  ephemeral_storage_mb = 6144 # three times the largest supported file
  log_level            = local.environment.log_level
  log_retention_days   = local.environment.log_retention_days
  memory_mb            = 2048
  metrics_namespace    = local.metrics_namespace
  permissions_boundary = local.environment.permissions_boundary
  role_path            = local.environment.role_path
  timeout_s            = 900
  tracing              = local.environment.tracing

  environment = {
    ANALYTICS_BUCKET = module.analytics.name
    GLUE_DATABASE    = local.environment.athena ? aws_glue_catalog_database.analytics[0].name : ""
    MEMORY_LIMIT_MB  = 1024
  }

  triggers = {
    s3 = { raw = { bucket_arn = module.raw.arn } }
  }

  #iam:unproven s3:AbortMultipartUpload - the tests' files are too small for a multipart upload
  #iam:unproven KeepTables - LocalStack doesn't support Glue
  permissions = merge(
    {
      # Without s3:ListBucket, S3 returns 403 for a missing object instead of 404.
      tell_missing    = { actions = ["s3:ListBucket"], resources = [module.raw.arn, module.analytics.arn] }
      read_raw        = { actions = ["s3:GetObject", "s3:GetObjectVersion"], resources = ["${module.raw.arn}/*"] }
      read_state      = { actions = ["s3:GetObject"], resources = ["${module.analytics.arn}/_manifests/*", "${module.analytics.arn}/_schemas/*"] }
      write_analytics = { actions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], resources = ["${module.analytics.arn}/*"] }
    },
    { for database in aws_glue_catalog_database.analytics[*] : "keep_tables" => {
      actions = ["glue:GetTable", "glue:CreateTable", "glue:UpdateTable"]
      resources = [
        "arn:${data.aws_partition.current.partition}:glue:${local.region}:${local.account_id}:catalog",
        database.arn,
        "arn:${data.aws_partition.current.partition}:glue:${local.region}:${local.account_id}:table/${database.name}/*",
      ]
    } },
  )
}

locals {
  athena_results = "_athena/" # Athena ignores keys that start with an underscore
}

resource "aws_glue_catalog_database" "analytics" {
  count = local.environment.athena ? 1 : 0
  name  = replace("${local.prefix}-analytics", "-", "_")
}

resource "aws_athena_workgroup" "analytics" {
  count         = local.environment.athena ? 1 : 0
  name          = "${local.prefix}-analytics"
  force_destroy = !local.environment.protected

  configuration {
    bytes_scanned_cutoff_per_query     = 10737418240 # 10 GiB, which limits the cost of a query to 5 cents
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true

    result_configuration {
      output_location = "s3://${module.analytics.name}/${local.athena_results}"

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}
