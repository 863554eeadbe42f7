# Sends existing objects through the pipeline if one machine cannot list and send all of them.
# `./eventloom backfill --distributed` starts it.

locals {
  has_backfill     = coalesce(var.backfill, local.environment.backfill)
  backfill_name    = "${local.prefix}-backfill"
  backfill_results = "_backfill/" # Athena ignores keys that start with an underscore

  backfill_arns = {
    for kind in ["execution", "stateMachine"] :
    kind => "arn:${data.aws_partition.current.partition}:states:${local.region}:${local.account_id}:${kind}:${local.backfill_name}"
  }

  # The message is an EventBridge event, because its object keys are not URL-encoded. Without a sequencer, the
  # thumbnailer reads the current version from S3.
  backfill_message = {
    "detail-type" = "Object Created"
    source        = "eventloom.backfill"
    "time.$"      = "$$.Execution.StartTime"

    detail = {
      bucket = { name = module.uploads.name }
      object = { "key.$" = "$.Key", "size.$" = "$.Size", "etag.$" = "$.Etag" }
    }
  }
}

resource "aws_sfn_state_machine" "backfill" {
  #checkov:skip=CKV_AWS_285:Step Functions keeps the history for 90 days, and batches write their results to S3
  count    = local.has_backfill ? 1 : 0
  name     = local.backfill_name
  role_arn = aws_iam_role.backfill[0].arn
  type     = "STANDARD"

  # Input: {"prefix": "2025/", "at_once": 2}. Each batch takes at least a second, which limits the rate to
  # at_once x 100 objects per second.
  definition = jsonencode({
    StartAt = "Objects"
    States = {
      Objects = {
        Type               = "Map"
        Label              = "Objects"
        End                = true
        ItemBatcher        = { MaxItemsPerBatch = 100 }
        MaxConcurrencyPath = "$.at_once"

        ItemReader = {
          Resource   = "arn:${data.aws_partition.current.partition}:states:::s3:listObjectsV2"
          Parameters = { Bucket = module.uploads.name, "Prefix.$" = "$.prefix" }
        }

        ItemProcessor = {
          ProcessorConfig = { Mode = "DISTRIBUTED", ExecutionType = "EXPRESS" }
          StartAt         = "Batch"
          States = {
            Batch = {
              Type       = "Map"
              ItemsPath  = "$.Items"
              ResultPath = null
              Next       = "Pace"

              ItemProcessor = {
                ProcessorConfig = { Mode = "INLINE" }
                StartAt         = "Send"
                States = {
                  Send = {
                    Type       = "Task"
                    Resource   = "arn:${data.aws_partition.current.partition}:states:::sqs:sendMessage"
                    Parameters = { QueueUrl = module.uploads_queue.url, MessageBody = local.backfill_message }
                    Retry      = [{ ErrorEquals = ["States.ALL"], IntervalSeconds = 1, MaxAttempts = 4, BackoffRate = 2 }]
                    End        = true
                  }
                }
              }
            }
            Pace = { Type = "Wait", Seconds = 1, OutputPath = null, End = true }
          }
        }

        ResultWriter = {
          Resource   = "arn:${data.aws_partition.current.partition}:states:::s3:putObject"
          Parameters = { Bucket = module.analytics.name, Prefix = local.backfill_results }
        }
      }
    }
  })

  # The block is absent if tracing is off: with enabled = false, the provider would show a change in every plan.
  dynamic "tracing_configuration" {
    for_each = local.environment.tracing ? [true] : []

    content {
      enabled = true
    }
  }
}

resource "aws_iam_role" "backfill" {
  #iam:unproven StepFunctions - batches assume the role as the ARN with /label; LocalStack runs no batch executions
  count                = local.has_backfill ? 1 : 0
  name                 = local.backfill_name
  path                 = local.environment.role_path
  permissions_boundary = local.environment.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "StepFunctions"
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        ArnLike      = { "aws:SourceArn" = [local.backfill_arns["stateMachine"], "${local.backfill_arns["stateMachine"]}/*"] }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

resource "aws_iam_role_policy" "backfill" {
  count = local.has_backfill ? 1 : 0
  name  = "backfill"
  role  = aws_iam_role.backfill[0].id

  # Source: https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
  #iam:unproven Batches - Step Functions runs each batch as an execution; LocalStack runs no batch executions
  #iam:unproven FollowBatches - Step Functions runs each batch as an execution; LocalStack runs no batch executions
  #iam:unproven s3:GetObject - Step Functions uploads results in parts; LocalStack writes no results
  #iam:unproven s3:ListMultipartUploadParts - Step Functions uploads results in parts; LocalStack writes no results
  #iam:unproven s3:AbortMultipartUpload - Step Functions uploads results in parts; LocalStack writes no results
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "ListUploads", Effect = "Allow", Action = "s3:ListBucket", Resource = module.uploads.arn },
      { Sid = "Send", Effect = "Allow", Action = "sqs:SendMessage", Resource = module.uploads_queue.arn },
      {
        Sid      = "KeepResults"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
        Resource = "${module.analytics.arn}/${local.backfill_results}*"
      },
      { Sid = "Batches", Effect = "Allow", Action = "states:StartExecution", Resource = local.backfill_arns["stateMachine"] },
      {
        Sid      = "FollowBatches"
        Effect   = "Allow"
        Action   = ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"]
        Resource = ["${local.backfill_arns["execution"]}:*", "${local.backfill_arns["execution"]}/*"]
      },
    ]
  })
}

resource "aws_iam_role_policy" "backfill_tracing" {
  #checkov:skip=CKV_AWS_355:X-Ray doesn't support resource-level permissions
  #checkov:skip=CKV_AWS_290:X-Ray doesn't support resource-level permissions
  #iam:wildcard Trace - X-Ray doesn't support resource-level permissions
  #iam:unproven xray:* - no emulator supports traces of Step Functions
  count = local.has_backfill && local.environment.tracing ? 1 : 0
  name  = "tracing"
  role  = aws_iam_role.backfill[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Trace"
      Effect   = "Allow"
      Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
      Resource = "*"
    }]
  })
}
