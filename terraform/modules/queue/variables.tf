# Required

variable "consumer_timeout_s" {
  description = "Timeout in seconds of the function that consumes the queue; the visibility timeout follows from it."
  type        = number

  validation {
    condition     = var.consumer_timeout_s >= 1 && var.consumer_timeout_s <= 900
    error_message = "consumer_timeout_s is a function's timeout: 1 to 900 seconds."
  }
}

variable "name" {
  description = "Name of the queue; its dead-letter queue is named <name>-dlq."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,76}$", var.name))
    error_message = "A queue's name has 1 to 76 letters, digits, hyphens and underscores (80 with \"-dlq\")."
  }
}

# Optional

variable "age_alarm_s" {
  description = "Alarm when the oldest message has waited this many seconds."
  type        = number
  default     = 900
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm goes off and when it is over."
  type        = list(string)
  default     = []
}

variable "batch_window_s" {
  description = "Batching window in seconds of the consumer's event source mapping; part of the default visibility timeout."
  type        = number
  default     = 0
}

variable "dlq_retention_s" {
  description = "Seconds that the dead-letter queue keeps a message, counted from when it was first sent."
  type        = number
  default     = 1209600

  validation {
    condition     = var.dlq_retention_s >= var.retention_s && var.dlq_retention_s <= 1209600
    error_message = "dlq_retention_s must be at least retention_s (a message keeps its age when it moves, so that it could vanish at once) and at most 14 days (1209600)."
  }
}

variable "kms_key_arn" {
  description = "Customer managed key that encrypts messages; it must itself grant the senders its use. null encrypts with keys of SQS."
  type        = string
  default     = null
}

variable "max_receive_count" {
  description = "Times that a message is delivered before it moves to the dead-letter queue."
  type        = number
  default     = 5

  validation {
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    condition     = var.max_receive_count >= 5 && var.max_receive_count <= 1000
    error_message = "max_receive_count must be 5 to 1000: throttled receives count as well, and fewer would bury good messages."
  }
}

variable "retention_s" {
  description = "Seconds that the queue keeps a message which nobody consumes."
  type        = number
  default     = 345600

  validation {
    condition     = var.retention_s >= 60 && var.retention_s <= 1209600
    error_message = "retention_s must be 60 to 1209600 seconds (14 days)."
  }
}

variable "senders" {
  description = "Who may send: the service, and the one resource of this account that it acts for. Nobody else may, but for principals of this account whose own policy allows it."
  type = map(object({
    service    = string # for example s3.amazonaws.com
    source_arn = string
  }))
  default = {}

  validation {
    condition     = alltrue([for sender in var.senders : can(regex("^[a-z0-9.-]+\\.amazonaws\\.com$", sender.service))])
    error_message = "service is a service principal, such as s3.amazonaws.com."
  }

  validation {
    condition     = alltrue([for sender in var.senders : startswith(sender.source_arn, "arn:") && !strcontains(sender.source_arn, "*")])
    error_message = "source_arn is the ARN of one resource, without wildcards."
  }
}

variable "visibility_timeout_s" {
  description = "Seconds that a received message stays hidden; null takes 6 x consumer_timeout_s + batch_window_s."
  type        = number
  default     = null

  validation {
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    condition     = coalesce(var.visibility_timeout_s, 43200) >= 6 * var.consumer_timeout_s + var.batch_window_s
    error_message = "visibility_timeout_s must be at least 6 x consumer_timeout_s + batch_window_s, or a message is delivered again while it is still being worked on."
  }

  validation {
    condition     = coalesce(var.visibility_timeout_s, 0) <= 43200
    error_message = "visibility_timeout_s may be at most 12 hours (43200)."
  }
}
