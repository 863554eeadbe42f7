# Checks webhooks and queues them at once. A worker processes them at its own pace, so none is lost while it is down.

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

data "aws_partition" "current" {}

# ssm.<region>.amazonaws.com: its region is that of the provider.
data "aws_service" "ssm" {
  service_id = "ssm"
}

locals {
  account_id = data.aws_caller_identity.current.account_id

  # The sender signs with this secret. You create it by hand, so that Terraform's state never contains it.
  secret     = "/${var.prefix}/webhook-secret"
  secret_arn = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_service.ssm.region}:${local.account_id}:parameter${local.secret}"
}

module "api" {
  source           = "../../terraform/modules/api"
  name             = "${var.prefix}-webhooks"
  access_logs      = false # they need a role in the account's API Gateway settings; terraform/api.tf sets one
  alias_invoke_arn = module.receiver.alias_invoke_arn
  open_posts       = ["/webhook"] # open to everyone, because the receiver checks the signature
  throttle         = { rate = 20, burst = 40 }
}

module "receiver" {
  source       = "../../terraform/modules/function"
  name         = "receiver"
  prefix       = var.prefix
  package      = "${path.root}/${var.packages}/receiver.zip"
  architecture = var.architecture
  memory_mb    = 256
  timeout_s    = 10
  environment  = { QUEUE_URL = module.deliveries.url, SECRET_NAME = local.secret }
  triggers     = { api = { webhook = { execution_arn = module.api.execution_arn, stage = module.api.stage } } }

  permissions = {
    read_secret = { actions = ["ssm:GetParameter"], resources = [local.secret_arn] }
    hand_over   = { actions = ["sqs:SendMessage"], resources = [module.deliveries.arn] }
  }
}

module "deliveries" {
  source             = "../../terraform/modules/queue"
  name               = "${var.prefix}-deliveries"
  consumer_timeout_s = 30
}

module "worker" {
  source       = "../../terraform/modules/function"
  name         = "worker"
  prefix       = var.prefix
  package      = "${path.root}/${var.packages}/worker.zip"
  architecture = var.architecture
  memory_mb    = 256
  timeout_s    = 30
  environment  = { BUCKET = module.archive.name }
  triggers     = { sqs = { deliveries = { queue_arn = module.deliveries.arn, maximum_concurrency = 5 } } }

  permissions = {
    archive = { actions = ["s3:PutObject"], resources = ["${module.archive.arn}/*"] }
  }
}

module "archive" {
  source        = "../../terraform/modules/bucket"
  name          = "${var.prefix}-archive-${local.account_id}"
  force_destroy = true # for the example only: remove it to protect data
}
