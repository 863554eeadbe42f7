# Required

variable "consumer_timeout_s" {
  description = "Timeout in seconds of the consuming function, on which the visibility timeout depends."
  type        = number

  validation {
    condition     = var.consumer_timeout_s >= 1 && var.consumer_timeout_s <= 900
    error_message = "consumer_timeout_s is out of range: set it to the function's timeout, 1 to 900 seconds."
  }
}

variable "name" {
  description = <<-EOT
    Name of the queue. With the ending .fifo it is a FIFO queue, whose messages a function gets in order within their
    group. The dead-letter queue is <name>-dlq, or <name>-dlq.fifo.
  EOT
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+(\\.fifo)?$", var.name)) && length(trimsuffix(var.name, ".fifo")) <= (endswith(var.name, ".fifo") ? 71 : 76)
    error_message = <<-EOT
      name is not a valid queue name: write 1 to 76 letters, digits, hyphens and underscores, or up to 71 and the ending
      .fifo. SQS allows 80 characters, 4 of which are for "-dlq".
    EOT
  }

  validation {
    # CreateQueue and PutMetricAlarm return no error for an existing name, so two modules would share a resource.
    condition     = !can(regex("-(dlq|failures|iterator)(\\.fifo)?$", var.name))
    error_message = <<-EOT
      name ends like the queues and alarms that the modules make: <queue>-dlq, <function>-failures and
      <function>-iterator-age. Choose another ending than -dlq, -failures and -iterator.
    EOT
  }
}

# Optional

variable "age_alarm_s" {
  description = "Age in seconds of the oldest message at which the alarm fires."
  type        = number
  default     = 900
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics to notify when an alarm fires and when it recovers."
  type        = list(string)
  default     = []
}

variable "batch_window_s" {
  description = "Batching window in seconds of the consumer's event source mapping."
  type        = number
  default     = 0
}

variable "content_based_deduplication" {
  description = "Whether a FIFO queue drops a message whose body equals that of another one within five minutes."
  type        = bool
  default     = false

  validation {
    condition     = !var.content_based_deduplication || endswith(var.name, ".fifo")
    error_message = "content_based_deduplication needs a FIFO queue: end its name with .fifo, or leave it out."
  }
}

variable "dlq_retention_s" {
  description = "Number of seconds that the dead-letter queue keeps a message after it was first sent."
  type        = number
  default     = 1209600

  validation {
    condition     = var.dlq_retention_s >= var.retention_s && var.dlq_retention_s <= 1209600
    error_message = <<-EOT
      dlq_retention_s must be at least retention_s and at most 1209600 seconds (14 days). A message keeps its age when
      it moves to the dead-letter queue, so a shorter retention could delete it at once.
    EOT
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key, whose policy must allow the senders; null uses SSE-SQS."
  type        = string
  default     = null
}

variable "max_receive_count" {
  description = "Number of times that a message is received before it moves to the dead-letter queue."
  type        = number
  default     = 5

  validation {
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    condition     = var.max_receive_count >= 5 && var.max_receive_count <= 1000
    error_message = <<-EOT
      max_receive_count must be 5 to 1000. Throttled receives count as well, so a lower number moves messages that could
      be processed to the dead-letter queue.
    EOT
  }
}

variable "retention_s" {
  description = "Number of seconds that the queue keeps a message."
  type        = number
  default     = 345600

  validation {
    condition     = var.retention_s >= 60 && var.retention_s <= 1209600
    error_message = "retention_s must be 60 to 1209600 seconds (14 days)."
  }
}

variable "senders" {
  description = <<-EOT
    Services that may send messages, each on behalf of one resource of this account. Principals of this account may also
    send if their own policy allows it.
  EOT
  type = map(object({
    service    = string # such as s3.amazonaws.com
    source_arn = string
  }))
  default = {}

  validation {
    condition     = alltrue([for sender in var.senders : can(regex("^[a-z0-9.-]+\\.amazonaws\\.com$", sender.service))])
    error_message = "A sender's service is not a service principal: write for example s3.amazonaws.com."
  }

  validation {
    condition     = alltrue([for sender in var.senders : startswith(sender.source_arn, "arn:") && !strcontains(sender.source_arn, "*")])
    error_message = "A sender's source_arn is not one resource: write a full ARN without wildcards."
  }

  validation {
    # Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
    condition     = length(var.senders) <= 19
    error_message = "senders has over 19 entries: SQS accepts 20 statements in a policy, and one of them requires TLS."
  }
}

variable "tags" {
  description = "Tags of every resource of the module, in addition to the provider's default_tags."
  type        = map(string)
  default     = {}

  validation {
    # Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    condition     = alltrue([for key in keys(var.tags) : length(key) <= 128 && !startswith(lower(key), "aws:")])
    error_message = "tags has a key that AWS refuses: write at most 128 characters that don't start with aws:."
  }
}

variable "visibility_timeout_s" {
  description = "Visibility timeout in seconds; null uses 6 x consumer_timeout_s + batch_window_s."
  type        = number
  default     = null

  validation {
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    condition     = coalesce(var.visibility_timeout_s, 43200) >= 6 * var.consumer_timeout_s + var.batch_window_s
    error_message = <<-EOT
      visibility_timeout_s must be at least 6 x consumer_timeout_s + batch_window_s, or SQS delivers a message again
      while the function is still processing it.
    EOT
  }

  validation {
    condition     = coalesce(var.visibility_timeout_s, 0) <= 43200
    error_message = "visibility_timeout_s must be at most 43200 seconds (12 hours)."
  }
}
