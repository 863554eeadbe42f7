# A cron job without a server: every night it counts the objects of a bucket and writes a report to it.

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

module "files" {
  source          = "../../terraform/modules/bucket"
  name            = "${var.prefix}-files-${data.aws_caller_identity.current.account_id}"
  expire_prefixes = { "reports/" = 365 }
  force_destroy   = true # for the example only: remove it to protect data
}

module "storage_report" {
  source       = "../../terraform/modules/function"
  name         = "storage_report"
  prefix       = var.prefix
  package      = "${path.root}/${var.packages}/storage_report.zip"
  architecture = var.architecture
  memory_mb    = 256
  timeout_s    = 300
  environment  = { BUCKET = module.files.name }
  triggers     = { schedule = { nightly = { expression = var.schedule } } }

  permissions = {
    count_files  = { actions = ["s3:ListBucket"], resources = [module.files.arn] }
    write_report = { actions = ["s3:PutObject"], resources = ["${module.files.arn}/reports/*"] }
  }
}
