output "names" {
  description = "Names of the environments."
  value       = local.names

  precondition {
    condition = length(local.misnamed) == 0
    error_message = join(" ", [
      "An environment's name must be 2 to 16 lower-case letters, digits and hyphens, a letter first. Rename",
      "${join(", ", local.misnamed)}.",
    ])
  }
}

output "settings" {
  description = "Settings of each environment, by its name."
  value = {
    for name in local.names : name => { for setting, values in local.table : setting => try(values[name], null) }
  }

  precondition {
    condition = length(local.uneven) == 0
    error_message = join(" ", [
      "Every setting needs a value for the environments that log_level has (${join(", ", local.names)}) and no others.",
      "Correct ${join(", ", local.uneven)}.",
    ])
  }
}
