# Counts each view event of the gallery exactly once.

resource "aws_kinesis_stream" "activity" {
  #checkov:skip=CKV_AWS_185:encrypted with the AWS managed key; events contain only image IDs
  name            = "${local.prefix}-activity"
  encryption_type = "KMS"
  kms_key_id      = "alias/aws/kinesis"
  shard_count     = local.environment.activity_shards == 0 ? null : local.environment.activity_shards

  # A second day leaves more time to redrive failed records. For an on-demand stream it is billed by stored data. For a
  # provisioned stream it costs more than the shards (https://aws.amazon.com/kinesis/data-streams/pricing/).
  retention_period = local.environment.activity_shards == 0 ? 48 : 24

  stream_mode_details {
    stream_mode = local.environment.activity_shards == 0 ? "ON_DEMAND" : "PROVISIONED"
  }
}

# Counters by image and day, one checkpoint per shard, and rejected records. One transaction changes them together.
resource "aws_dynamodb_table" "activity" {
  #checkov:skip=CKV_AWS_28:the environment decides on point-in-time recovery
  #checkov:skip=CKV_AWS_119:encrypted with the AWS managed key; a customer managed key would cost more than the table
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
  source               = "./modules/function"
  name                 = "activity"
  prefix               = local.prefix
  package              = "${path.root}/${var.packages}/activity.zip"
  alarm_topic_arns     = [aws_sns_topic.alarms.arn]
  architecture         = var.architecture
  log_level            = local.environment.log_level
  log_retention_days   = local.environment.log_retention_days
  memory_mb            = 512
  metrics_namespace    = local.metrics_namespace
  permissions_boundary = local.environment.permissions_boundary
  role_path            = local.environment.role_path
  timeout_s            = 60
  tracing              = local.environment.tracing
  vpc                  = local.vpc

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
        maximum_age_s   = 43200 # half the retention, so that a record can still be redriven
        maximum_retries = 20    # the table may be throttled for a while
        parallelization = 1     # there is one checkpoint per shard
      }
    }
  }

  permissions = {
    # A transaction needs only the permissions of its operations.
    count = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [aws_dynamodb_table.activity.arn] }
  }
}
