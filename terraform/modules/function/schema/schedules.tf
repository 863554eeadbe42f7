# The schedule expressions that EventBridge accepts. The provider checks only the length.

locals {
  # Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
  rate = "rate\\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\\)"

  # The single values of each field of a cron expression, without lists, ranges and steps.
  cron_values = {
    minute  = "[0-5]?[0-9]"
    hour    = "([01]?[0-9]|2[0-3])"
    day     = "(0?[1-9]|[12][0-9]|3[01])"
    month   = "(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
    weekday = "([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)"
    year    = "(19[7-9][0-9]|2[01][0-9][0-9])"
  }
  cron_item  = { for field, value in local.cron_values : field => "(\\*|${value}(-${value})?)(/[1-9][0-9]*)?" }
  cron_field = { for field, item in local.cron_item : field => "${item}(,${item})*" }
  cron_days = [
    "(${local.cron_field.day}|L|LW|${local.cron_values.day}W) ${local.cron_field.month} \\?",
    "\\? ${local.cron_field.month} (${local.cron_field.weekday}|L|${local.cron_values.weekday}L|${local.cron_values.weekday}#[1-5])",
  ]
  cron = "cron\\(${local.cron_field.minute} ${local.cron_field.hour} (${join("|", local.cron_days)}) ${local.cron_field.year}\\)"

  refused_schedules = [
    for name, trigger in var.triggers.schedule : "triggers.schedule.${name} (${trigger.expression})"
    if !can(regex("^(${local.rate}|${local.cron})$", trigger.expression))
  ]
}
