# What each environment changes, in one table. The workspace chooses the column: there is no -var-file to mix up.
# Every setting is required, because Terraform drops an unknown one without a word: a misspelt key is then a missing one.

variable "environments" {
  description = "Settings, and their value in each environment. Override it only as a whole (for example in an untracked environments.auto.tfvars)."

  type = object({
    activity_shards                 = map(number)                                    # of the stream of views: 1 MB/s each; 0: on demand
    alarm_emails                    = map(list(string))                              # who is mailed by the alarms topic
    alb                             = map(bool)                                      # the catalog behind an internal load balancer as well
    alb_certificate_arn             = map(string)                                    # of its HTTPS; null: HTTP, within the network
    allowed_account_ids             = map(list(string))                              # 12 digits; any other account is refused. []: not pinned
    allowed_origins                 = map(list(string))                              # web pages that may call the API and upload; "*" for any
    api_auth                        = map(string)                                    # api_key, iam or cognito
    api_throttle                    = map(object({ rate = number, burst = number })) # requests a second, and at once
    athena                          = map(bool)                                      # tables in Glue and a workgroup of Athena for what the converter makes
    backfill                        = map(bool)                                      # a state machine that sends existing objects, millions of them, through the pipeline
    digest_schedule                 = map(string)                                    # once a day is enough: a repeated one does nothing, which lets an emulator show it within a minute
    log_level                       = map(string)
    log_retention_days              = map(number)
    mail_from                       = map(string)       # address that SES sends notices and the digest from, another one in each environment of an account and region; "" sends none
    mail_to                         = map(list(string)) # who gets them
    object_retention_days           = map(number)       # replaced and deleted uploads can be brought back for this long
    owns_api_gateway_account        = map(bool)         # sets the account's role for API Gateway's logs: true for one environment per account and region, the first to be deployed there (api.tf says why)
    point_in_time_recovery          = map(bool)
    protected                       = map(bool)   # data survives `destroy`: deletion protection on tables, no force_destroy on buckets
    recoverer_dry_run               = map(bool)   # the recoverer reports what it would do
    thumbnailer_ceiling             = map(number) # up to which the recoverer may raise the next
    thumbnailer_maximum_concurrency = map(number)
    thumbnailer_memory_mb           = map(number)
    tracing                         = map(bool) # X-Ray
    vpc                             = map(bool) # functions that need S3 and DynamoDB only run in a private network
  })

  default = {
    activity_shards                 = { local = 1, dev = 1, staging = 1, prod = 0 }
    alarm_emails                    = { local = [], dev = [], staging = [], prod = [] }
    alb                             = { local = false, dev = false, staging = false, prod = false }
    alb_certificate_arn             = { local = null, dev = null, staging = null, prod = null }
    allowed_account_ids             = { local = ["000000000000"], dev = [], staging = [], prod = [] }
    allowed_origins                 = { local = ["*"], dev = ["*"], staging = [], prod = [] }
    api_auth                        = { local = "api_key", dev = "api_key", staging = "api_key", prod = "api_key" }
    api_throttle                    = { local = { rate = 200, burst = 400 }, dev = { rate = 20, burst = 40 }, staging = { rate = 50, burst = 100 }, prod = { rate = 200, burst = 400 } }
    athena                          = { local = false, dev = true, staging = true, prod = true }
    backfill                        = { local = false, dev = false, staging = false, prod = false }
    digest_schedule                 = { local = "rate(1 minute)", dev = "cron(0 6 * * ? *)", staging = "cron(0 6 * * ? *)", prod = "cron(0 6 * * ? *)" }
    log_level                       = { local = "INFO", dev = "INFO", staging = "INFO", prod = "INFO" }
    log_retention_days              = { local = 1, dev = 7, staging = 30, prod = 365 }
    mail_from                       = { local = "eventloom@example.com", dev = "", staging = "", prod = "" }
    mail_to                         = { local = ["operator@example.com"], dev = [], staging = [], prod = [] }
    object_retention_days           = { local = 1, dev = 7, staging = 30, prod = 90 }
    owns_api_gateway_account        = { local = true, dev = true, staging = true, prod = true }
    point_in_time_recovery          = { local = true, dev = false, staging = true, prod = true }
    protected                       = { local = false, dev = false, staging = false, prod = true }
    recoverer_dry_run               = { local = false, dev = false, staging = false, prod = true }
    thumbnailer_ceiling             = { local = 20, dev = 20, staging = 100, prod = 400 }
    thumbnailer_maximum_concurrency = { local = 10, dev = 10, staging = 50, prod = 200 }
    thumbnailer_memory_mb           = { local = 1769, dev = 1769, staging = 1769, prod = 1769 }
    tracing                         = { local = false, dev = true, staging = true, prod = true }
    vpc                             = { local = false, dev = false, staging = false, prod = false }
  }

  validation {
    condition     = length(distinct([for values in var.environments : keys(values)])) == 1
    error_message = "Every setting needs a value for the same environments."
  }

  validation {
    condition     = alltrue(flatten([for ids in var.environments.allowed_account_ids : [for id in ids : can(regex("^[0-9]{12}$", id))]]))
    error_message = "An account id has 12 digits."
  }

  validation {
    condition     = alltrue([for name, from in var.environments.mail_from : (from == "") == (length(try(var.environments.mail_to[name], [])) == 0)])
    error_message = "mail_from and mail_to go together: set both, or neither for no mail."
  }

  validation {
    condition     = alltrue([for name, ceiling in var.environments.thumbnailer_ceiling : ceiling >= try(var.environments.thumbnailer_maximum_concurrency[name], 0) && ceiling <= 1000])
    error_message = "thumbnailer_ceiling is at least thumbnailer_maximum_concurrency, which the recoverer raises, and at most 1000, as Lambda takes no more."
  }

  validation {
    condition     = alltrue([for name in keys(var.environments.log_level) : can(regex("^[a-z][a-z0-9-]{1,15}$", name))])
    error_message = "An environment's name is part of every other name: 2 to 16 lower-case letters, digits and hyphens, a letter first."
  }

  validation {
    condition     = alltrue([for address in flatten([values(var.environments.alarm_emails), compact(values(var.environments.mail_from)), values(var.environments.mail_to)]) : can(regex("^[^@\\s,<>]+@[^@\\s,<>]+$", address))])
    error_message = "alarm_emails, mail_from and mail_to hold addresses alone, such as ops@example.com: no names, and one address in each string."
  }

  validation {
    condition     = alltrue([for origin in flatten(values(var.environments.allowed_origins)) : can(regex("^(\\*|https?://[^/\\s*,]+)$", origin))])
    error_message = "allowed_origins are origins as browsers send them, https://photos.example.com without a path or slash at the end, or \"*\"."
  }
}

locals {
  environments = keys(var.environments.log_level)

  # An unknown workspace is refused by the precondition in providers.tf; until that speaks, some settings must stand in.
  environment       = { for setting, values in var.environments : setting => try(values[terraform.workspace], values[local.environments[0]]) }
  metrics_namespace = "Eventloom/${terraform.workspace}"
  prefix            = "eventloom-${terraform.workspace}"
}
