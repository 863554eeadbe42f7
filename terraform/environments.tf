# What each environment changes, in one table. The workspace chooses the column: there is no -var-file to mix up.
# Every attribute is required, because Terraform drops an unknown one without a word: a misspelt key is then a missing one.

variable "environments" {
  description = "Settings of each environment, by workspace name. Override it only as a whole (for example in an untracked environments.auto.tfvars)."

  type = map(object({
    account_id                      = string       # 12 digits; any other account is refused. null: not pinned
    alarm_emails                    = list(string) # who is mailed by the alarms topic
    log_level                       = string
    log_retention_days              = number
    object_retention_days           = number # replaced and deleted uploads can be brought back for this long
    point_in_time_recovery          = bool
    protected                       = bool # data survives `destroy`: deletion protection on tables, no force_destroy on buckets
    thumbnailer_maximum_concurrency = number
    thumbnailer_memory_mb           = number
    tracing                         = bool # X-Ray
  }))

  default = {
    local = {
      account_id                      = "000000000000" # an emulator's: the local environment never reaches a real account
      alarm_emails                    = []
      log_level                       = "DEBUG"
      log_retention_days              = 1
      object_retention_days           = 1
      point_in_time_recovery          = true
      protected                       = false
      thumbnailer_maximum_concurrency = 10
      thumbnailer_memory_mb           = 1769
      tracing                         = false
    }
    dev = {
      account_id                      = null
      alarm_emails                    = []
      log_level                       = "DEBUG"
      log_retention_days              = 7
      object_retention_days           = 7
      point_in_time_recovery          = false
      protected                       = false
      thumbnailer_maximum_concurrency = 10
      thumbnailer_memory_mb           = 1769
      tracing                         = true
    }
    staging = {
      account_id                      = null
      alarm_emails                    = []
      log_level                       = "INFO"
      log_retention_days              = 30
      object_retention_days           = 30
      point_in_time_recovery          = true
      protected                       = false
      thumbnailer_maximum_concurrency = 50
      thumbnailer_memory_mb           = 1769
      tracing                         = true
    }
    prod = {
      account_id                      = null
      alarm_emails                    = []
      log_level                       = "INFO"
      log_retention_days              = 365
      object_retention_days           = 90
      point_in_time_recovery          = true
      protected                       = true
      thumbnailer_maximum_concurrency = 200
      thumbnailer_memory_mb           = 1769
      tracing                         = true
    }
  }

  validation {
    condition     = alltrue([for environment in var.environments : environment.account_id == null || can(regex("^[0-9]{12}$", environment.account_id))])
    error_message = "account_id must be 12 digits, or null where the account is not pinned."
  }
}

locals {
  # An unknown workspace is refused by the precondition in providers.tf; until that speaks, some settings must stand in.
  environment = try(var.environments[terraform.workspace], values(var.environments)[0])
  prefix      = "eventloom-${terraform.workspace}"
  account_id  = data.aws_caller_identity.current.account_id
}
