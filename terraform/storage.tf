# Buckets, queue and tables that several functions use.

module "uploads" {
  source          = "./modules/bucket"
  name            = "${local.prefix}-uploads-${local.account_id}"
  force_destroy   = !local.environment.protected
  cors_origins    = local.upload_origins
  noncurrent_days = local.environment.object_retention_days
  versioning      = true

  notifications = {
    uploads = {
      type   = "queue"
      arn    = module.uploads_queue.arn
      events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed"]
      prefix = ""
      suffix = ""
    }
  }
}

# The gallery uploads from its own origin. Add the origin of your own domain to allowed_origins.
locals {
  upload_origins = concat([local.api_origin], local.alb_url[*], local.environment.allowed_origins)
}

module "uploads_queue" {
  source             = "./modules/queue"
  name               = "${local.prefix}-uploads"
  alarm_topic_arns   = [aws_sns_topic.alarms.arn]
  batch_window_s     = local.thumbnailer.batch_window_s
  consumer_timeout_s = local.thumbnailer.timeout_s
  senders            = { uploads_bucket = { service = "s3.amazonaws.com", source_arn = module.uploads.arn } }
}

# This bucket is not versioned, because thumbnails can be recreated from uploads.
module "thumbnails" {
  source        = "./modules/bucket"
  name          = "${local.prefix}-thumbnails-${local.account_id}"
  force_destroy = !local.environment.protected
}

resource "aws_dynamodb_table" "catalog" {
  #checkov:skip=CKV_AWS_28:the environment decides on point-in-time recovery
  #checkov:skip=CKV_AWS_119:encrypted with the AWS managed key; a customer managed key would cost more than the table
  name                        = "${local.prefix}-catalog"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = local.environment.protected
  hash_key                    = "image_id"
  stream_enabled              = true
  stream_view_type            = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "image_id"
    type = "S"
  }

  attribute {
    name = "status"
    type = "S"
  }

  attribute {
    name = "uploaded_at"
    type = "S"
  }

  attribute {
    name = "shelf"
    type = "S"
  }

  attribute {
    name = "taken_key"
    type = "S"
  }

  attribute {
    name = "sha256"
    type = "S"
  }

  # For lists of images with a status, newest first.
  global_secondary_index {
    name            = "by_status"
    hash_key        = "status"
    range_key       = "uploaded_at"
    projection_type = "ALL"
  }

  # For lists of images by the time of capture, and for lists of deleted images.
  global_secondary_index {
    name            = "by_taken"
    hash_key        = "shelf"
    range_key       = "taken_key"
    projection_type = "ALL"
  }

  # For images with the same bytes.
  global_secondary_index {
    name            = "by_sha256"
    hash_key        = "sha256"
    projection_type = "KEYS_ONLY"
  }

  point_in_time_recovery {
    enabled = local.environment.point_in_time_recovery
  }

  server_side_encryption {
    enabled = true
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}

locals {
  # Only images with a final status appear in lists.
  list_images = {
    actions    = ["dynamodb:Query"]
    resources  = ["${aws_dynamodb_table.catalog.arn}/index/by_status"]
    conditions = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["READY", "REJECTED"] } }
  }
}

# State of functions: claims, cool-downs and reports. Each function may access only items with its own prefix of `pk`.
resource "aws_dynamodb_table" "state" {
  #checkov:skip=CKV_AWS_28:the environment decides on point-in-time recovery
  #checkov:skip=CKV_AWS_119:encrypted with the AWS managed key; a customer managed key would cost more than the table
  name                        = "${local.prefix}-state"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = local.environment.protected
  hash_key                    = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = local.environment.point_in_time_recovery
  }

  server_side_encryption {
    enabled = true
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}
