# The types of `triggers` and `permissions` of modules/function.
# Terraform silently drops unknown object attributes when it converts a value to a variable's type
# (hashicorp/terraform#30608). This module gets each value both converted and unconverted, and compares the two, so that
# a misspelled key fails the plan.

# Triggers and permissions are separate outputs, because the function needs its permissions but must not wait for its
# triggers. For example, an alarm that invokes the function is created after the function.

variable "given_permissions" {
  description = "Value of `permissions` as the caller wrote it."
  type        = any
}

variable "given_triggers" {
  description = "Value of `triggers` as the caller wrote it."
  type        = any
}

variable "permissions" {
  description = "Statements of the function's role, by a name that says why."
  type = map(object({
    actions    = list(string)
    resources  = list(string)
    conditions = optional(map(map(list(string))), {}) # operator => key => values
    reason     = optional(string)                     # required with resources = ["*"]
  }))

  validation {
    condition     = alltrue(flatten([for permission in var.permissions : [for action in permission.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", action))]]))
    error_message = <<-EOT
      A permission's action is not allowed: write it in full, as service:Action. A wildcard would also grant actions
      that the function doesn't need.
    EOT
  }

  validation {
    condition     = alltrue([for permission in var.permissions : length(permission.actions) > 0 && length(permission.resources) > 0])
    error_message = "A permission grants nothing: add at least one action and one resource."
  }

  validation {
    condition     = alltrue([for permission in var.permissions : permission.reason != null || !contains(permission.resources, "*")])
    error_message = <<-EOT
      A permission applies to every resource ("*"): name the resources, or add a reason, such as that the service
      doesn't support resource-level permissions.
    EOT
  }
}
