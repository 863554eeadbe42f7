# A probe function with every kind of trigger that the root module doesn't use. Its state is local, because only tests
# deploy it.

terraform {
  required_version = ">= 1.10"

  backend "local" {}

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

variable "architecture" {
  description = "Instruction set of the package: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "canary_weight" {
  description = "Share (0 to 1) of invocations that the newest version gets."
  type        = number
  default     = 0
}

variable "live_version" {
  description = "Version that the alias points to; null uses the newest."
  type        = string
  default     = null
}

variable "package" {
  description = "Path of the zip of probe/."
  type        = string
}

variable "s3_use_path_style" {
  description = "Whether S3 URLs are /bucket/key instead of bucket.host/key."
  type        = bool
  default     = true
}

provider "aws" {
  s3_use_path_style = var.s3_use_path_style
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  prefix = "eventloom-probe"
}

module "probe" {
  source        = "../../modules/function"
  name          = "probe"
  prefix        = local.prefix
  package       = var.package
  architecture  = var.architecture
  async_retries = 0
  canary_weight = var.canary_weight
  live_version  = var.live_version

  environment = { EVENTS_TABLE = aws_dynamodb_table.events.name }

  triggers = {
    api   = { door = { execution_arn = module.door.execution_arn, stage = module.door.stage } }
    alarm = { smoke = { alarm_arn = aws_cloudwatch_metric_alarm.smoke.arn } }
    dynamodb_stream = {
      orders = { stream_arn = aws_dynamodb_table.orders.stream_arn, maximum_retries = 1, filters = [jsonencode({ eventName = ["INSERT"] })] }
    }
    event = {
      custom = { bus_name = aws_cloudwatch_event_bus.shop.name, pattern = jsonencode({ source = ["shop"], detail = { total = [{ numeric = [">", 100] }] } }) }
      bucket = { pattern = jsonencode({ source = ["aws.s3"], "detail-type" = ["Object Created"], detail = { bucket = { name = [module.inbox.name] } } }) }
    }
    kinesis = {
      clicks = { stream_arn = aws_kinesis_stream.clicks.arn, maximum_retries = 1 }
    }
    s3       = { csv = { bucket_arn = module.inbox.arn, prefix = "in/", suffix = ".csv" } }
    schedule = { tick = { expression = "rate(1 minute)", input = jsonencode({ tick = true }) } }
    sns = {
      filtered = { topic_arn = aws_sns_topic.news.arn, filter_policy = jsonencode({ kind = ["good"] }) }
    }
    sqs = { jobs = { queue_arn = module.jobs.arn, maximum_concurrency = 2 } }
    url = { hook = { caller_arns = [aws_iam_role.visitor.arn] } }
  }

  permissions = {
    note = { actions = ["dynamodb:PutItem"], resources = [aws_dynamodb_table.events.arn] }
  }
}

module "door" {
  source           = "../../modules/api"
  name             = "${local.prefix}-door"
  auth             = "iam"
  access_logs      = false
  alias_invoke_arn = module.probe.alias_invoke_arn
}

module "inbox" {
  source        = "../../modules/bucket"
  name          = "${local.prefix}-inbox-${data.aws_caller_identity.current.account_id}"
  eventbridge   = true
  force_destroy = true
  notifications = module.probe.s3_notifications
}

module "jobs" {
  source             = "../../modules/queue"
  name               = "${local.prefix}-jobs"
  consumer_timeout_s = 30
}

# This role calls the URL. The role has no policy, so it has only the permissions that the function's policy grants.
resource "aws_iam_role" "visitor" {
  #iam:unproven Account - the tests' own user assumes it, and LocalStack doesn't limit that user
  name = "${local.prefix}-visitor"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# This role calls one path of the API.
resource "aws_iam_role" "guest" {
  #iam:unproven Account - the tests' own user assumes it, and LocalStack doesn't limit that user
  name               = "${local.prefix}-guest"
  assume_role_policy = aws_iam_role.visitor.assume_role_policy
}

resource "aws_iam_role_policy" "guest" {
  name = "invoke"
  role = aws_iam_role.guest.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Invoke"
      Effect   = "Allow"
      Action   = "execute-api:Invoke"
      Resource = "${module.door.execution_arn}/${module.door.stage}/GET/door"
    }]
  })
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

resource "aws_dynamodb_table" "orders" {
  name             = "${local.prefix}-orders"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_kinesis_stream" "clicks" {
  name            = "${local.prefix}-clicks"
  encryption_type = "KMS"
  kms_key_id      = "alias/aws/kinesis"
  shard_count     = 1
}

resource "aws_sns_topic" "news" {
  name = "${local.prefix}-news"
}

resource "aws_cloudwatch_event_bus" "shop" {
  name = "${local.prefix}-shop"
}

resource "aws_cloudwatch_metric_alarm" "smoke" {
  alarm_name          = "${local.prefix}-smoke"
  namespace           = "Eventloom/probe"
  metric_name         = "Smoke"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  alarm_actions       = [module.probe.alias_arn]
}

output "names" {
  description = "Names and URLs that tests need to fire each trigger and to check the result."

  value = {
    alarm         = aws_cloudwatch_metric_alarm.smoke.alarm_name
    api_id        = module.door.id
    api_stage     = module.door.stage
    api_url       = module.door.url
    bucket        = module.inbox.name
    bus           = aws_cloudwatch_event_bus.shop.name
    dlq_url       = module.jobs.dlq_url
    events_table  = aws_dynamodb_table.events.name
    failures_url  = module.probe.failures_queue_url
    function_name = module.probe.function_name
    guest_arn     = aws_iam_role.guest.arn
    orders_table  = aws_dynamodb_table.orders.name
    queue_url     = module.jobs.url
    stream        = aws_kinesis_stream.clicks.name
    topic_arn     = aws_sns_topic.news.arn
    url           = module.probe.urls["hook"]
    visitor_arn   = aws_iam_role.visitor.arn
  }
}
