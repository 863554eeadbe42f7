# Required

variable "name" {
  description = "Name of the bucket, globally unique."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.name))
    error_message = <<-EOT
      name is not a valid bucket name: write 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or
      digit at both ends.
    EOT
  }
}

# Optional

variable "abort_multipart_days" {
  description = "Number of days after which S3 removes the parts of an unfinished multipart upload."
  type        = number
  default     = 7
}

variable "cors_origins" {
  description = "Origins of web pages that may use presigned URLs of the bucket; \"*\" allows any."
  type        = list(string)
  default     = []
}

variable "eventbridge" {
  description = "Whether to send all events of the bucket to the default EventBridge bus as well."
  type        = bool
  default     = false
}

variable "expire_days" {
  description = "Number of days after which objects expire; null keeps them."
  type        = number
  default     = null
}

variable "expire_prefixes" {
  description = "Number of days after which objects expire, by key prefix."
  type        = map(number)
  default     = {}
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete the bucket while it contains objects."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts objects; null uses SSE-S3."
  type        = string
  default     = null
}

variable "noncurrent_days" {
  description = "Number of days to keep noncurrent versions, if versioning is on."
  type        = number
  default     = 30
}

variable "notifications" {
  description = <<-EOT
    Notifications that the bucket sends, by a name of your choice. All attributes are required, because Terraform
    silently drops a misspelled optional attribute, and the filter with it. A prefix or suffix of "" matches every key.
  EOT
  type = map(object({
    type   = string       # queue, function or topic
    arn    = string       # its policy must allow this bucket before S3 accepts the notification
    events = list(string) # such as s3:ObjectCreated:*
    prefix = string
    suffix = string
  }))
  default = {}

  validation {
    condition     = alltrue([for target in var.notifications : contains(["queue", "function", "topic"], target.type)])
    error_message = "A notification's type is not supported: set it to queue, function or topic."
  }

  validation {
    condition     = alltrue(flatten([for target in var.notifications : [for event in target.events : can(regex("^s3:[A-Za-z]+(:([A-Za-z]+|\\*))?$", event))]]))
    error_message = "A notification's event is not an S3 event type: write for example s3:ObjectCreated:*."
  }

  validation {
    condition     = alltrue([for target in var.notifications : length(target.events) > 0])
    error_message = "A notification has no events: add at least one, such as s3:ObjectCreated:*."
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

variable "versioning" {
  description = "Whether to keep replaced and deleted objects as noncurrent versions."
  type        = bool
  default     = false
}
