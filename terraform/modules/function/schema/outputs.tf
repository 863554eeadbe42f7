locals {
  # Attributes that the caller wrote and that type conversion dropped.
  unknown_permissions = flatten([for name, permission in var.given_permissions : [
    for key in setsubtract(keys(permission), keys(var.permissions[name])) : "permissions.${name}.${key}"
  ]])
  unknown_kinds = [for kind in setsubtract(keys(var.given_triggers), keys(var.triggers)) : "triggers.${kind}"]
  unknown_settings = flatten([for kind, triggers in var.given_triggers : [for name, trigger in triggers : [
    for key in setsubtract(keys(trigger), keys(var.triggers[kind][name])) : "triggers.${kind}.${name}.${key}"
  ]] if contains(keys(var.triggers), kind)])
}

output "permissions" {
  description = "Permissions with all optional attributes set."
  value       = var.permissions

  precondition {
    condition     = length(local.unknown_permissions) == 0
    error_message = <<-EOT
      Unknown attributes: ${join(", ", local.unknown_permissions)}.
      A permission supports ${join(", ", try(keys(values(var.permissions)[0]), []))}.
    EOT
  }
}

output "triggers" {
  description = "Triggers with all optional attributes set."
  value       = var.triggers

  precondition {
    condition     = length(local.unknown_kinds) == 0
    error_message = <<-EOT
      Unknown kinds of trigger: ${join(", ", local.unknown_kinds)}.
      Use one of ${join(", ", keys(var.triggers))}.
    EOT
  }

  precondition {
    condition     = length(local.unknown_settings) == 0
    error_message = <<-EOT
      Unknown attributes: ${join(", ", local.unknown_settings)}.
      See modules/function/schema/triggers.tf for the attributes of each kind.
    EOT
  }
}
