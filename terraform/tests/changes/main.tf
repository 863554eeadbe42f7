# Two functions that share a queue, a topic and a bucket. tests/modules/test_trigger_changes.py applies this, then
# changes triggers, network and tracing with `step`. Its state is local, because only tests deploy it.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

variable "package" {
  description = "Path of the zip of ../triggers/probe."
  type        = string
}

variable "s3_use_path_style" {
  description = "Whether S3 URLs are /bucket/key instead of bucket.host/key."
  type        = bool
  default     = true
}

variable "step" {
  description = "1 is the first deployment; 2 renames triggers of report, removes one, and switches network and tracing on."
  type        = number
}

variable "vpc" {
  description = "Whether step 2 moves report into a network."
  type        = bool
  default     = true
}

provider "aws" {
  s3_use_path_style = var.s3_use_path_style
}

data "aws_caller_identity" "current" {}

locals {
  prefix = "eventloom-changes"
  name   = var.step == 1 ? "old" : "new" # of the renamed triggers

  # These keys would collide if names were only joined with hyphens: report with "daily-eu" and report-daily with "eu",
  # and an event and a schedule with the same key.
  event = { daily-eu = { pattern = jsonencode({ source = ["shop"] }) } }

  permissions = { note = { actions = ["dynamodb:PutItem"], resources = [aws_dynamodb_table.events.arn] } }
}

module "report" {
  source          = "../../modules/function"
  name            = "report"
  prefix          = local.prefix
  package         = var.package
  handler         = "probe.handler.lambda_handler"
  async_retries   = 0
  environment     = { EVENTS_TABLE = aws_dynamodb_table.events.name }
  permissions     = local.permissions
  stream_failures = { to_s3 = true, bucket_arn = module.failures.arn }
  tracing         = var.step == 2
  vpc             = var.vpc && var.step == 2 ? { subnet_ids = aws_subnet.one[*].id, security_group_ids = aws_security_group.report[*].id } : null

  triggers = {
    event    = var.step == 1 ? local.event : null # removed
    kinesis  = { (local.name) = { stream_arn = aws_kinesis_stream.clicks.arn, maximum_retries = 0 } }
    s3       = { daily-eu = { bucket_arn = module.inbox.arn, suffix = ".csv" } }
    schedule = { daily-eu = { expression = "rate(1 day)" } }
    sns      = { (local.name) = { topic_arn = aws_sns_topic.news.arn, filter_policy = jsonencode({ queue = [module.jobs.url] }) } }
    sqs      = { (local.name) = { queue_arn = module.jobs.arn, maximum_concurrency = 2 } }
  }
}

module "report_daily" {
  source        = "../../modules/function"
  name          = "report_daily"
  prefix        = local.prefix
  package       = var.package
  handler       = "probe.handler.lambda_handler"
  async_retries = 0
  environment   = { EVENTS_TABLE = aws_dynamodb_table.events.name }
  permissions   = local.permissions

  triggers = {
    s3       = { eu = { bucket_arn = module.inbox.arn, suffix = ".json" } }
    schedule = { eu = { expression = "rate(1 hour)" } }
    sns      = { all = { topic_arn = aws_sns_topic.news.arn } }
    sqs      = { jobs = { queue_arn = module.jobs.arn } }
  }
}

module "inbox" {
  source        = "../../modules/bucket"
  name          = "${local.prefix}-inbox-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
  notifications = merge(module.report.s3_notifications, module.report_daily.s3_notifications)
}

# Keeps the stream's failed records.
module "failures" {
  source        = "../../modules/bucket"
  name          = "${local.prefix}-failures-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
}

module "jobs" {
  source             = "../../modules/queue"
  name               = "${local.prefix}-jobs"
  consumer_timeout_s = 30
}

# On AWS, a function that leaves a network holds its interfaces for up to 40 minutes, so the test has no network there.
resource "aws_vpc" "this" {
  count      = var.vpc ? 1 : 0
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "one" {
  count      = var.vpc ? 1 : 0
  vpc_id     = aws_vpc.this[0].id
  cidr_block = "10.0.1.0/24"
}

resource "aws_security_group" "report" {
  count  = var.vpc ? 1 : 0
  name   = "${local.prefix}-report"
  vpc_id = aws_vpc.this[0].id
}

resource "aws_sns_topic" "news" {
  name = "${local.prefix}-news"
}

resource "aws_kinesis_stream" "clicks" {
  name        = "${local.prefix}-clicks"
  shard_count = 1
}

resource "aws_dynamodb_table" "events" {
  name         = "${local.prefix}-events"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

output "names" {
  description = "Names that the test needs to send events and to check the result."

  value = {
    bucket       = module.inbox.name
    events_table = aws_dynamodb_table.events.name
    failures     = module.failures.name
    queue_url    = module.jobs.url
    stream       = aws_kinesis_stream.clicks.name
    stream_uuid  = module.report.event_source_mappings["kinesis/${local.name}"].uuid
    topic_arn    = aws_sns_topic.news.arn
  }
}
