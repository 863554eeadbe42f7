# Each variable is a setting with its value in each environment, from terraform/environments.json.

locals {
  address = "^[^@\\s,<>]+@[^@\\s,<>]+$"
}

variable "activity_shards" {
  description = "Shards of the stream of views, 1 MB/s each; 0 is on-demand capacity."
  type        = map(number)
}

variable "alarm_emails" {
  description = "Email addresses to notify when an alarm fires and when it recovers."
  type        = map(list(string))

  validation {
    condition     = alltrue([for address in flatten(values(var.alarm_emails)) : can(regex(local.address, address))])
    error_message = "alarm_emails must contain plain addresses such as ops@example.com, one per string."
  }
}

variable "alb" {
  description = "Whether an internal load balancer serves the catalog, beside the API."
  type        = map(bool)
}

variable "alb_certificate_arn" {
  description = "ARN of the load balancer's certificate for HTTPS; null uses HTTP within the network."
  type        = map(string)
}

variable "allowed_account_ids" {
  description = "Accounts, 12 digits each, that the environment may be in; [] is any account."
  type        = map(list(string))

  validation {
    condition     = alltrue([for id in flatten(values(var.allowed_account_ids)) : can(regex("^[0-9]{12}$", id))])
    error_message = "allowed_account_ids must contain account IDs of 12 digits, in quotes."
  }
}

variable "allowed_origins" {
  description = "Web pages that may call the API and upload, such as https://photos.example.com; \"*\" is any page."
  type        = map(list(string))

  validation {
    condition = alltrue([
      for origin in flatten(values(var.allowed_origins)) : can(regex("^(\\*|https?://[^/\\s*,]+)$", origin))
    ])
    error_message = "allowed_origins must contain \"*\" or origins such as https://photos.example.com, without a path."
  }
}

variable "api_auth" {
  description = "How callers of the API are authenticated: api_key, iam or cognito."
  type        = map(string)

  validation {
    condition     = alltrue([for auth in values(var.api_auth) : contains(["api_key", "cognito", "iam"], auth)])
    error_message = "api_auth must be \"api_key\", \"cognito\" or \"iam\"."
  }
}

variable "api_throttle" {
  description = "Requests per second (rate) and in a burst (burst) that the API accepts."
  type        = map(object({ rate = number, burst = number }))
}

variable "athena" {
  description = "Whether there are Glue tables and an Athena workgroup for the converter's files."
  type        = map(bool)
}

variable "backfill" {
  description = "Whether there is a state machine that sends existing objects, even millions, through the pipeline."
  type        = map(bool)
}

variable "digest_schedule" {
  description = "When the digest is sent, once a day. Further runs on the same day change nothing."
  type        = map(string)
}

variable "log_level" {
  description = "DEBUG, INFO, WARN or ERROR."
  type        = map(string)

  validation {
    condition = alltrue([
      for level in values(var.log_level) : contains(["DEBUG", "INFO", "WARN", "ERROR"], level)
    ])
    error_message = "log_level must be \"DEBUG\", \"INFO\", \"WARN\" or \"ERROR\"."
  }
}

variable "log_retention_days" {
  description = "Number of days to keep logs."
  type        = map(number)
}

variable "mail_from" {
  description = "SES sender of emails, different in each environment of an account and region; \"\" sends none."
  type        = map(string)

  validation {
    condition     = alltrue([for address in compact(values(var.mail_from)) : can(regex(local.address, address))])
    error_message = "mail_from must be a plain address such as photos@example.com, without a display name, or \"\"."
  }

  validation {
    condition = alltrue([
      for name, from in var.mail_from : (from == "") == (length(lookup(var.mail_to, name, [])) == 0)
    ])
    error_message = "Only one of mail_from and mail_to is set: set both, or leave both empty to send no email."
  }
}

variable "mail_to" {
  description = "Recipients of notices and of the digest."
  type        = map(list(string))

  validation {
    condition     = alltrue([for address in flatten(values(var.mail_to)) : can(regex(local.address, address))])
    error_message = "mail_to must contain plain addresses such as ops@example.com, one per string."
  }
}

variable "object_retention_days" {
  description = "Number of days in which replaced and deleted uploads can be restored."
  type        = map(number)
}

variable "owns_api_gateway_account" {
  description = "Whether it sets the account's role for API Gateway's logs, if the account and region have none."
  type        = map(bool)
}

variable "permissions_boundary" {
  description = "ARN of the policy that limits every role, if your organization requires one; null sets none."
  type        = map(string)

  validation {
    condition     = alltrue([for arn in values(var.permissions_boundary) : arn == null || can(regex("^arn:[a-z0-9-]+:iam::([0-9]{12}|aws):policy/.+$", arn))])
    error_message = "permissions_boundary must be null or the ARN of a policy, such as arn:aws:iam::123456789012:policy/boundary."
  }
}

variable "point_in_time_recovery" {
  description = "Whether DynamoDB tables can be restored to any second of the last 35 days."
  type        = map(bool)
}

variable "protected" {
  description = "Whether destroy fails instead of deleting tables and buckets that hold data."
  type        = map(bool)
}

variable "quota_per_day" {
  description = "Requests per day (UTC) that an API key allows before callers get status 429; null sets no quota."
  type        = map(number)

  validation {
    condition = alltrue([
      for quota in values(var.quota_per_day) : quota == null ? true : quota >= 1 && floor(quota) == quota
    ])
    error_message = "quota_per_day must be a whole number of requests from 1, or null for no quota."
  }
}

variable "recoverer_dry_run" {
  description = "Whether the recoverer only reports what it would do."
  type        = map(bool)
}

variable "role_path" {
  description = "Path of every role, such as /automation/, if your organization grants permissions by path."
  type        = map(string)

  validation {
    condition     = alltrue([for path in values(var.role_path) : can(regex("^/([!-~]+/)?$", path))])
    error_message = "role_path must be / or a path with a slash at both ends, such as /automation/."
  }
}

variable "setting_names" {
  description = "Names of all settings in terraform/environments.json, so that an unknown one is an error."
  type        = set(string)

  validation {
    condition     = length(setsubtract(var.setting_names, keys(local.table))) == 0
    error_message = <<-EOT
      Unknown settings: ${join(", ", setsubtract(var.setting_names, keys(local.table)))}. Correct or remove them.
    EOT
  }
}

variable "tags" {
  description = "Tags of every resource, in addition to Project, Environment and ManagedBy."
  type        = map(map(string))

  validation {
    condition     = alltrue(flatten([for tags in values(var.tags) : [for key in keys(tags) : length(key) <= 128 && !startswith(lower(key), "aws:")]]))
    error_message = "tags has a key that AWS refuses: write at most 128 characters that don't start with aws:."
  }
}

variable "thumbnailer_ceiling" {
  description = "Highest maximum concurrency that the recoverer may set."
  type        = map(number)

  validation {
    condition = alltrue([
      for name, ceiling in var.thumbnailer_ceiling :
      ceiling >= lookup(var.thumbnailer_maximum_concurrency, name, 0) && ceiling <= 1000
    ])
    error_message = "thumbnailer_ceiling must be at least thumbnailer_maximum_concurrency and at most 1000."
  }
}

variable "thumbnailer_maximum_concurrency" {
  description = "Maximum concurrency of the thumbnailer at its queue."
  type        = map(number)
}

variable "thumbnailer_memory_mb" {
  description = "Memory of the thumbnailer."
  type        = map(number)
}

variable "tracing" {
  description = "Whether X-Ray traces requests."
  type        = map(bool)
}

variable "vpc" {
  description = "Whether functions that need only S3 and DynamoDB run in a private network."
  type        = map(bool)
}
