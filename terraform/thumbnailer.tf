# Turns photos in the uploads bucket into thumbnails and items of the catalog.

locals {
  # The visibility timeout of the queue depends on both values.
  thumbnailer = { timeout_s = 60, batch_window_s = 0 }

  # How long a deletion is remembered, which must be longer than an event's maximum delay. During this time the deletion
  # can be undone, if S3 still has the version.
  tombstone_days = 30

  # Uploads of other formats are rejected. The thumbnailer and the gallery use the same list.
  accepted_formats = "jpeg,png,gif,webp,tiff,bmp,heic,avif"
}

module "thumbnailer" {
  source               = "./modules/function"
  name                 = "thumbnailer"
  prefix               = local.prefix
  package              = "${path.root}/${var.packages}/thumbnailer.zip"
  alarm_topic_arns     = [aws_sns_topic.alarms.arn]
  architecture         = var.architecture
  log_level            = local.environment.log_level
  log_retention_days   = local.environment.log_retention_days
  memory_mb            = local.environment.thumbnailer_memory_mb
  metrics_namespace    = local.metrics_namespace
  permissions_boundary = local.environment.permissions_boundary
  role_path            = local.environment.role_path
  timeout_s            = local.thumbnailer.timeout_s
  tracing              = local.environment.tracing
  vpc                  = local.vpc

  environment = {
    ACCEPTED_FORMATS  = local.accepted_formats
    CATALOG_TABLE     = aws_dynamodb_table.catalog.name
    JPEG_QUALITY      = 80
    LEASE_S           = 15
    MAX_BYTES         = 104857600
    MAX_PIXELS        = 250000000
    OUTPUT_FORMAT     = "jpeg"
    RETRY_DELAYS_S    = "5,15,60,900"
    THUMBNAIL_SIZES   = "1280,512,128"
    THUMBNAILS_BUCKET = module.thumbnails.name
    TOMBSTONE_DAYS    = local.tombstone_days
  }

  triggers = {
    sqs = {
      uploads = {
        queue_arn           = module.uploads_queue.arn
        batch_size          = 10
        batch_window_s      = local.thumbnailer.batch_window_s
        maximum_concurrency = local.environment.thumbnailer_maximum_concurrency
      }
    }
  }

  permissions = {
    read_uploads = { actions = ["s3:GetObject", "s3:GetObjectVersion"], resources = ["${module.uploads.arn}/*"] }

    # Without s3:ListBucket, S3 returns 403 for a missing object instead of 404.
    tell_missing = { actions = ["s3:ListBucket"], resources = [module.uploads.arn] }

    # The thumbnailer deletes thumbnails that interrupted attempts left behind.
    find_thumbnails = { actions = ["s3:ListBucket"], resources = [module.thumbnails.arn] }

    # The thumbnailer returns failed messages within seconds, and also the messages of a process that dies.
    return_messages = { actions = ["sqs:ChangeMessageVisibility"], resources = [module.uploads_queue.arn] }

    write_thumbnails = { actions = ["s3:PutObject", "s3:DeleteObject"], resources = ["${module.thumbnails.arn}/*"] }
    update_catalog   = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [aws_dynamodb_table.catalog.arn] }
  }
}
