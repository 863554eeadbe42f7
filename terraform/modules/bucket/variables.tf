# Required

variable "name" {
  description = "Name of the bucket; unique in the whole of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

# Optional

variable "abort_multipart_days" {
  description = "Days after which the parts of an unfinished multipart upload are removed."
  type        = number
  default     = 7
}

variable "cors_origins" {
  description = "Origins of web pages that may use presigned URLs of the bucket; \"*\" for any, [] for none."
  type        = list(string)
  default     = []
}

variable "eventbridge" {
  description = "Send every event of the bucket to the default EventBridge bus as well."
  type        = bool
  default     = false
}

variable "expire_days" {
  description = "Days after which objects expire; null keeps them."
  type        = number
  default     = null
}

variable "expire_prefixes" {
  description = "Days after which objects expire, by prefix, where not all of them do."
  type        = map(number)
  default     = {}
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete a bucket that still holds objects."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Customer managed key that encrypts objects; null encrypts with keys of S3 (AES256)."
  type        = string
  default     = null
}

variable "noncurrent_days" {
  description = "Days that replaced and deleted versions are kept, where versioning is on."
  type        = number
  default     = 30
}

variable "notifications" {
  description = "Everything that this bucket notifies. Every attribute is required, since Terraform drops a misspelt optional one without a word and the filter with it; \"\" matches every key."
  type = map(object({
    type   = string       # queue, function or topic
    arn    = string       # whose policy already lets this bucket in
    events = list(string) # for example s3:ObjectCreated:*
    prefix = string
    suffix = string
  }))
  default = {}

  validation {
    condition     = alltrue([for target in var.notifications : contains(["queue", "function", "topic"], target.type)])
    error_message = "The type of a notification is queue, function or topic."
  }

  validation {
    condition     = alltrue(flatten([for target in var.notifications : [for event in target.events : can(regex("^s3:[A-Za-z]+(:([A-Za-z]+|\\*))?$", event))]]))
    error_message = "Events are S3 event types, such as s3:ObjectCreated:* or s3:ObjectRemoved:Delete."
  }

  validation {
    condition     = alltrue([for target in var.notifications : length(target.events) > 0])
    error_message = "A notification needs at least one event."
  }
}

variable "versioning" {
  description = "Keep replaced and deleted objects as noncurrent versions."
  type        = bool
  default     = false
}
