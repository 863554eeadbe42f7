# Photos to thumbnails: upload to one bucket, read the thumbnails from another and what is known about them from a table.

terraform {
  required_version = ">= 1.10"

  # `terraform init` gets the bucket, key and region with -backend-config.
  backend "s3" {
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  s3_use_path_style = var.s3_use_path_style
}

data "aws_caller_identity" "current" {}

module "uploads" {
  source        = "../../terraform/modules/bucket"
  name          = "${var.prefix}-uploads-${data.aws_caller_identity.current.account_id}"
  force_destroy = true # for the example only: remove it to protect data

  notifications = {
    photos = { type = "queue", arn = module.queue.arn, events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], prefix = "", suffix = "" }
  }
}

module "queue" {
  source             = "../../terraform/modules/queue"
  name               = "${var.prefix}-uploads"
  consumer_timeout_s = 60
  senders            = { uploads = { service = "s3.amazonaws.com", source_arn = module.uploads.arn } }
}

module "thumbnailer" {
  source            = "../../terraform/modules/function"
  name              = "thumbnailer"
  prefix            = var.prefix
  package           = "${path.root}/${var.packages}/thumbnailer.zip"
  architecture      = var.architecture
  metrics_namespace = var.prefix
  memory_mb         = 1769
  timeout_s         = 60
  environment       = { CATALOG_TABLE = aws_dynamodb_table.catalog.name, THUMBNAILS_BUCKET = module.thumbnails.name, THUMBNAIL_SIZES = "1280,512,128" }
  triggers          = { sqs = { uploads = { queue_arn = module.queue.arn, maximum_concurrency = 10 } } }

  permissions = {
    read_uploads     = { actions = ["s3:GetObject", "s3:GetObjectVersion"], resources = ["${module.uploads.arn}/*"] }
    find_objects     = { actions = ["s3:ListBucket"], resources = [module.uploads.arn, module.thumbnails.arn] }
    return_messages  = { actions = ["sqs:ChangeMessageVisibility"], resources = [module.queue.arn] }
    write_thumbnails = { actions = ["s3:PutObject", "s3:DeleteObject"], resources = ["${module.thumbnails.arn}/*"] }
    update_catalog   = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [aws_dynamodb_table.catalog.arn] }
  }
}

module "thumbnails" {
  source        = "../../terraform/modules/bucket"
  name          = "${var.prefix}-thumbnails-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
}

resource "aws_dynamodb_table" "catalog" {
  #checkov:skip=CKV_AWS_28:the items can be made again from the uploads
  #checkov:skip=CKV_AWS_119:encrypted with a key of AWS; a customer managed key would cost more than the table
  name         = "${var.prefix}-catalog"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "image_id"

  attribute {
    name = "image_id"
    type = "S"
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}
