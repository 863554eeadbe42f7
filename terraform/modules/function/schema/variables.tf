# The typed form of what callers of modules/function write as `triggers` and `permissions`.
# It is a module of its own because Terraform drops an unknown object attribute without a word when it converts a value to
# a variable's type (hashicorp/terraform#30608): only beside the value as it was written can a misspelt key be seen.

# The two are kept apart so that the function, which needs its permissions, never waits for its triggers: an alarm that
# invokes the function is made after the function, and is a trigger of it.

variable "given_permissions" {
  description = "`permissions` as they were written."
  type        = any
}

variable "given_triggers" {
  description = "`triggers` as they were written."
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
