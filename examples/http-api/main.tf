# Short links behind an HTTP API: those who sign their requests add a link, and everybody follows it.

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

provider "aws" {}

module "api" {
  source    = "../../terraform/modules/http_api"
  name      = "${var.prefix}-links"
  functions = { add = module.add.alias_arn, follow = module.follow.alias_arn }

  routes = {
    "POST /links" = { function = "add", throttle = { rate = 5, burst = 10 } } # for roles with execute-api:Invoke
    "GET /{link}" = { function = "follow", open = true }
  }
}

module "add" {
  source       = "../../terraform/modules/function"
  name         = "add"
  prefix       = var.prefix
  package      = "${path.root}/${var.packages}/add.zip"
  architecture = var.architecture
  environment  = { TABLE = aws_dynamodb_table.links.name }
  permissions  = { add = { actions = ["dynamodb:PutItem"], resources = [aws_dynamodb_table.links.arn] } }
}

module "follow" {
  source       = "../../terraform/modules/function"
  name         = "follow"
  prefix       = var.prefix
  package      = "${path.root}/${var.packages}/follow.zip"
  architecture = var.architecture
  environment  = { TABLE = aws_dynamodb_table.links.name }
  permissions  = { find = { actions = ["dynamodb:GetItem"], resources = [aws_dynamodb_table.links.arn] } }
}

resource "aws_dynamodb_table" "links" {
  #checkov:skip=CKV_AWS_28:for the example only: turn on point-in-time recovery to protect data
  #checkov:skip=CKV_AWS_119:encrypted with a key of AWS; a customer managed key would cost more than the table
  name         = "${var.prefix}-links"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "link"

  attribute {
    name = "link"
    type = "S"
  }
}
