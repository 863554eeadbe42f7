# Events of what people look at, counted exactly once

resource "aws_kinesis_stream" "activity" {
  #checkov:skip=CKV_AWS_185:encrypted with the key of AWS; events hold no more than image ids
  name            = "${local.prefix}-activity"
  encryption_type = "KMS"
  kms_key_id      = "alias/aws/kinesis"
  shard_count     = local.environment.activity_shards == 0 ? null : local.environment.activity_shards

  # A second day, to redrive what failed, is paid for by what is stored; a shard's costs more than the shard, empty or not
  # (https://aws.amazon.com/kinesis/data-streams/pricing/)
  retention_period = local.environment.activity_shards == 0 ? 48 : 24

  stream_mode_details {
    stream_mode = local.environment.activity_shards == 0 ? "ON_DEMAND" : "PROVISIONED"
  }
}

# Counters by image and day, a checkpoint a shard, and what was rejected: changed in one transaction
resource "aws_dynamodb_table" "activity" {
  #checkov:skip=CKV_AWS_28:point-in-time recovery is a decision of the environment
  #checkov:skip=CKV_AWS_119:encrypted with the key of AWS; a key of one's own would cost more than the table
  name                        = "${local.prefix}-activity"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = local.environment.protected
  hash_key                    = "pk"
  range_key                   = "sk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
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

module "activity" {
  source             = "./modules/function"
  name               = "activity"
  prefix             = local.prefix
  package            = "${path.root}/${var.packages}/activity.zip"
  alarm_topic_arns   = [aws_sns_topic.alarms.arn]
  architecture       = var.architecture
  log_level          = local.environment.log_level
  log_retention_days = local.environment.log_retention_days
  memory_mb          = 512
  metrics_namespace  = local.metrics_namespace
  timeout_s          = 60
  tracing            = local.environment.tracing
  vpc                = local.vpc

  environment = {
    ACTIVITY_TABLE         = aws_dynamodb_table.activity.name
    PARALLELIZATION_FACTOR = 1
  }

  triggers = {
    kinesis = {
      activity = {
        stream_arn      = aws_kinesis_stream.activity.arn
        batch_size      = 500
        batch_window_s  = 1
        maximum_age_s   = 43200 # half of what the stream keeps: a record is given up while it can still be redriven
        maximum_retries = 20    # the table may be busy for a while
        parallelization = 1     # one checkpoint a shard
      }
    }
  }

  permissions = {
    # A transaction is permitted by what is in it
    count = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [aws_dynamodb_table.activity.arn] }
  }
}
