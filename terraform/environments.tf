# What each environment changes, in one table. The workspace chooses the column: there is no -var-file to mix up.
# Every attribute is required, because Terraform drops an unknown one without a word: a misspelt key is then a missing one.

variable "environments" {
  description = "Settings of each environment, by workspace name. Override it only as a whole (for example in an untracked environments.auto.tfvars)."

  type = map(object({
    allowed_account_ids             = list(string)                              # 12 digits; any other account is refused. []: not pinned
    activity_shards                 = number                                    # of the stream of views: 1 MB/s each; 0: on demand
    alarm_emails                    = list(string)                              # who is mailed by the alarms topic
    alb                             = bool                                      # the catalog behind an internal load balancer as well
    alb_certificate_arn             = string                                    # of its HTTPS; null: HTTP, within the network
    allowed_origins                 = list(string)                              # web pages that may call the API and upload; "*" for any
    api_auth                        = string                                    # api_key, iam or cognito
    api_throttle                    = object({ rate = number, burst = number }) # requests a second, and at once
    athena                          = bool                                      # tables in Glue and a workgroup of Athena for what the converter makes
    log_level                       = string
    log_retention_days              = number
    mail_from                       = string       # address that SES sends notices and the digest from; "" sends none
    mail_to                         = list(string) # who gets them
    object_retention_days           = number       # replaced and deleted uploads can be brought back for this long
    owns_api_gateway_account        = bool         # sets the account's role for API Gateway's logs: one environment per account and region
    point_in_time_recovery          = bool
    protected                       = bool   # data survives `destroy`: deletion protection on tables, no force_destroy on buckets
    recoverer_dry_run               = bool   # the recoverer reports what it would do
    thumbnailer_ceiling             = number # up to which the recoverer may raise the next
    thumbnailer_maximum_concurrency = number
    thumbnailer_memory_mb           = number
    tracing                         = bool # X-Ray
    vpc                             = bool # functions that need S3 and DynamoDB only run in a private network
  }))

  default = {
    local = {
      allowed_account_ids             = ["000000000000"] # an emulator's: the local environment never reaches a real account
      activity_shards                 = 1
      alarm_emails                    = []
      alb                             = false
      alb_certificate_arn             = null
      allowed_origins                 = ["*"]
      api_auth                        = "api_key"
      api_throttle                    = { rate = 200, burst = 400 }
      athena                          = false
      log_level                       = "INFO"
      log_retention_days              = 1
      mail_from                       = "eventloom@example.com"
      mail_to                         = ["operator@example.com"]
      object_retention_days           = 1
      owns_api_gateway_account        = true
      point_in_time_recovery          = true
      protected                       = false
      recoverer_dry_run               = false
      thumbnailer_ceiling             = 20
      thumbnailer_maximum_concurrency = 10
      thumbnailer_memory_mb           = 1769
      tracing                         = false
      vpc                             = false
    }
    dev = {
      allowed_account_ids             = []
      activity_shards                 = 1
      alarm_emails                    = []
      alb                             = false
      alb_certificate_arn             = null
      allowed_origins                 = ["*"]
      api_auth                        = "api_key"
      api_throttle                    = { rate = 20, burst = 40 }
      athena                          = true
      log_level                       = "INFO"
      log_retention_days              = 7
      mail_from                       = ""
      mail_to                         = []
      object_retention_days           = 7
      owns_api_gateway_account        = true
      point_in_time_recovery          = false
      protected                       = false
      recoverer_dry_run               = false
      thumbnailer_ceiling             = 20
      thumbnailer_maximum_concurrency = 10
      thumbnailer_memory_mb           = 1769
      tracing                         = true
      vpc                             = false
    }
    staging = {
      allowed_account_ids             = []
      activity_shards                 = 1
      alarm_emails                    = []
      alb                             = false
      alb_certificate_arn             = null
      allowed_origins                 = []
      api_auth                        = "api_key"
      api_throttle                    = { rate = 50, burst = 100 }
      athena                          = true
      log_level                       = "INFO"
      log_retention_days              = 30
      mail_from                       = ""
      mail_to                         = []
      object_retention_days           = 30
      owns_api_gateway_account        = true
      point_in_time_recovery          = true
      protected                       = false
      recoverer_dry_run               = false
      thumbnailer_ceiling             = 100
      thumbnailer_maximum_concurrency = 50
      thumbnailer_memory_mb           = 1769
      tracing                         = true
      vpc                             = false
    }
    prod = {
      allowed_account_ids             = []
      activity_shards                 = 0
      alarm_emails                    = []
      alb                             = false
      alb_certificate_arn             = null
      allowed_origins                 = []
      api_auth                        = "api_key"
      api_throttle                    = { rate = 200, burst = 400 }
      athena                          = true
      log_level                       = "INFO"
      log_retention_days              = 365
      mail_from                       = ""
      mail_to                         = []
      object_retention_days           = 90
      owns_api_gateway_account        = true
      point_in_time_recovery          = true
      protected                       = true
      recoverer_dry_run               = true
      thumbnailer_ceiling             = 400
      thumbnailer_maximum_concurrency = 200
      thumbnailer_memory_mb           = 1769
      tracing                         = true
      vpc                             = false
    }
  }

  validation {
    condition     = alltrue(flatten([for environment in var.environments : [for id in environment.allowed_account_ids : can(regex("^[0-9]{12}$", id))]]))
    error_message = "An account id has 12 digits."
  }
}

locals {
  # An unknown workspace is refused by the precondition in providers.tf; until that speaks, some settings must stand in.
  environment = try(var.environments[terraform.workspace], values(var.environments)[0])
  prefix      = "eventloom-${terraform.workspace}"
  account_id  = data.aws_caller_identity.current.account_id
}
