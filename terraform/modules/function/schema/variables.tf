# The typed form of what callers of modules/function write as `triggers` and `permissions`.
# It is a module of its own because Terraform drops an unknown object attribute without a word when it converts a value to
# a variable's type (hashicorp/terraform#30608): only beside the value as it was written can a misspelt key be seen.

variable "given" {
  description = "The same values as they were written."
  type        = any
}

variable "permissions" {
  description = "Statements of the function's role."
  type = map(object({
    actions    = list(string)
    resources  = list(string)
    conditions = optional(map(map(list(string))), {}) # operator => key => values
    reason     = optional(string)                     # why resources must be ["*"]
  }))

  validation {
    condition     = alltrue(flatten([for permission in var.permissions : [for action in permission.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", action))]]))
    error_message = "Name every action of a permission in full, as service:Action; wildcards would grant what nobody asked for."
  }

  validation {
    condition     = alltrue([for permission in var.permissions : length(permission.actions) > 0 && length(permission.resources) > 0])
    error_message = "A permission needs at least one action and one resource."
  }

  validation {
    condition     = alltrue([for permission in var.permissions : permission.reason != null || !contains(permission.resources, "*")])
    error_message = "A permission on every resource (\"*\") needs a reason: usually that the API knows no resources."
  }
}

variable "triggers" {
  description = "What invokes the function."
  type = object({
    # A queue: trigger_sqs.tf
    sqs = optional(map(object({
      queue_arn           = string
      batch_size          = optional(number, 10)
      batch_window_s      = optional(number, 0)
      filters             = optional(list(string), []) # JSON patterns; a message must match one
      kms_key_arn         = optional(string)           # customer managed key of the queue
      maximum_concurrency = optional(number)           # rather than reserved concurrency: throttled receives count towards the DLQ
    })), {})
  })

  validation {
    condition     = alltrue([for trigger in var.triggers.sqs : trigger.batch_size >= 1 && trigger.batch_size <= (trigger.batch_window_s >= 1 ? 10000 : 10)])
    error_message = "batch_size of an SQS trigger is 1 to 10, or up to 10000 with a batch_window_s of at least 1."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.sqs : trigger.batch_window_s >= 0 && trigger.batch_window_s <= 300])
    error_message = "batch_window_s is 0 to 300."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.sqs : coalesce(trigger.maximum_concurrency, 2) >= 2 && coalesce(trigger.maximum_concurrency, 2) <= 1000])
    error_message = "maximum_concurrency of an SQS trigger is 2 to 1000."
  }

  validation {
    condition     = alltrue(flatten([for trigger in var.triggers.sqs : [for filter in trigger.filters : can(jsondecode(filter))]]))
    error_message = "filters are JSON patterns: write jsonencode({ ... })."
  }
}
