locals {
  # The attributes that the caller set and the type conversion dropped.
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

  precondition {
    condition     = alltrue([for sid in values(local.permission_sids) : sid != ""])
    error_message = <<-EOT
      The names of the permissions ${join(", ", [for name, sid in local.permission_sids : jsonencode(name) if sid == ""])} have no letter or digit that IAM
      accepts in a Sid. Add one from a to z.
    EOT
  }

  precondition {
    condition     = alltrue([for names in values(local.permissions_by_sid) : length(names) == 1])
    error_message = <<-EOT
      IAM can't tell these permissions apart, because only letters and digits of their names become the Sid:
      ${join("; ", [for names in values(local.permissions_by_sid) : join(" and ", names) if length(names) > 1])}. Rename one.
    EOT
  }
}

output "permission_sids" {
  description = "Sid of each permission's statement, by the permission's name."
  value       = local.permission_sids
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

  precondition {
    condition     = length(local.bad_keys) == 0
    error_message = <<-EOT
      The names ${join(", ", local.bad_keys)} can't be part of names on AWS. Write 1 to 64 letters, digits, hyphens and
      underscores.
    EOT
  }

  precondition {
    condition     = length(local.refused_schedules) == 0
    error_message = <<-EOT
      EventBridge refuses the expression of ${join(", ", local.refused_schedules)}. Write rate(1 minute), rate(5 minutes)
      or six fields in UTC, cron(minute hour day-of-month month day-of-week year), such as cron(0 3 * * ? *). One of the
      two fields of days is a question mark, the other is not.
    EOT
  }

  precondition {
    condition     = length(local.shared) == 0
    error_message = <<-EOT
      ${join("; ", local.shared)}. AWS allows one of them per function: merge the triggers, such as by listing the
      filters of both.
    EOT
  }

  precondition {
    # Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    condition     = alltrue([for name in local.on_fifo : var.triggers.sqs[name].batch_window_s == 0 && var.triggers.sqs[name].batch_size <= 10])
    error_message = <<-EOT
      Lambda reads FIFO queues without a batching window and at most 10 messages at once. Remove batch_window_s and lower
      batch_size: ${join(", ", [for name in local.on_fifo : "triggers.sqs.${name}" if var.triggers.sqs[name].batch_window_s > 0 || var.triggers.sqs[name].batch_size > 10])}.
    EOT
  }
}
