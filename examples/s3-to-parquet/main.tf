# CSV files put into one bucket come out as Parquet in another, a tenth of the size and ready for Athena, DuckDB or Spark

terraform {
  required_version = ">= 1.10"

  # `terraform init` names bucket, key and region of the state
  backend "s3" {
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
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
  force_destroy = true # an example; leave it out where data matters
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
  ephemeral_storage_mb = 2048 # the CSV file and its Parquet file
  memory_mb            = 1769
  timeout_s            = 300
  environment          = { TABLES_BUCKET = module.tables.name }
  triggers             = { s3 = { csv = { bucket_arn = module.incoming.arn, suffix = ".csv" } } }

  permissions = {
    read_csv      = { actions = ["s3:GetObject"], resources = ["${module.incoming.arn}/*"] }
    write_parquet = { actions = ["s3:PutObject"], resources = ["${module.tables.arn}/*"] }
  }
}
