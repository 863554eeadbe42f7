# Converts CSV files in one bucket to Parquet files in another, a tenth of the size, for Athena, DuckDB or Spark.

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

module "incoming" {
  source        = "../../terraform/modules/bucket"
  name          = "${var.prefix}-incoming-${data.aws_caller_identity.current.account_id}"
  force_destroy = true # for the example only: remove it to protect data
  notifications = module.parquet.s3_notifications
}

module "tables" {
  source        = "../../terraform/modules/bucket"
  name          = "${var.prefix}-tables-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
}

module "parquet" {
  source               = "../../terraform/modules/function"
  name                 = "parquet"
  prefix               = var.prefix
  package              = "${path.root}/${var.packages}/parquet.zip"
  architecture         = var.architecture
  ephemeral_storage_mb = 2048 # for the CSV file and its Parquet file
  memory_mb            = 1769
  timeout_s            = 300
  environment          = { TABLES_BUCKET = module.tables.name }
  triggers             = { s3 = { csv = { bucket_arn = module.incoming.arn, suffix = ".csv" } } }

  permissions = {
    read_csv      = { actions = ["s3:GetObject"], resources = ["${module.incoming.arn}/*"] }
    write_parquet = { actions = ["s3:PutObject"], resources = ["${module.tables.arn}/*"] }
  }
}
