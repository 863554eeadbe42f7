locals {
  # What conversion dropped: written, but no attribute of the type
  unknown_permissions = flatten([for name, permission in var.given_permissions : [
    for key in setsubtract(keys(permission), keys(var.permissions[name])) : "permissions.${name}.${key}"
  ]])
  unknown_kinds = [for kind in setsubtract(keys(var.given_triggers), keys(var.triggers)) : "triggers.${kind}"]
  unknown_settings = flatten([for kind, triggers in var.given_triggers : [for name, trigger in triggers : [
    for key in setsubtract(keys(trigger), keys(var.triggers[kind][name])) : "triggers.${kind}.${name}.${key}"
  ]] if contains(keys(var.triggers), kind)])
}

output "permissions" {
  description = "The permissions with every attribute set."
  value       = var.permissions

  precondition {
    condition     = length(local.unknown_permissions) == 0
    error_message = "Unknown: ${join(", ", local.unknown_permissions)}. A permission has ${join(", ", try(keys(values(var.permissions)[0]), []))}."
  }
}

output "triggers" {
  description = "The triggers with every attribute set."
  value       = var.triggers

  precondition {
    condition     = length(local.unknown_kinds) == 0
    error_message = "Unknown: ${join(", ", local.unknown_kinds)}. Kinds of trigger are ${join(", ", keys(var.triggers))}."
  }

  precondition {
    condition     = length(local.unknown_settings) == 0
    error_message = "Unknown: ${join(", ", local.unknown_settings)}. The attributes of each kind stand in modules/function/schema/triggers.tf."
  }
}
