locals {
  # Lambda rejects these names.
  # Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
  reserved_variables = [
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
  ]
}

# Required

variable "name" {
  description = "Name of the function. Names of resources have hyphens for its underscores, Python has the opposite."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]{1,30}$", var.name))
    error_message = <<-EOT
      name is not valid: write 2 to 31 lower-case letters, digits, underscores and hyphens, a letter first.
    EOT
  }
}

variable "package" {
  description = "Path of the zip with the code."
  type        = string
}

variable "prefix" {
  description = "Prefix of all names, such as acme or eventloom-dev."
  type        = string

  validation {
    # Names of functions and roles have at most 64 characters, including the part after the prefix.
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.prefix)) && length(var.prefix) <= 26
    error_message = <<-EOT
      prefix is not valid: write 2 to 26 lower-case letters, digits and hyphens, such as eventloom-dev, with a letter
      first and no hyphen at the end.
    EOT
  }
}

# Optional

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics to notify when an alarm fires and when it recovers."
  type        = list(string)
  default     = []
}

variable "architecture" {
  description = "Instruction set of the package: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is not supported: set it to x86_64 or arm64."
  }
}

variable "async_maximum_age_s" {
  description = "Number of seconds that Lambda retries an event of an asynchronous trigger, 60 to 21600."
  type        = number
  default     = 21600

  validation {
    condition     = var.async_maximum_age_s >= 60 && var.async_maximum_age_s <= 21600
    error_message = "async_maximum_age_s is out of range: set it to 60 to 21600."
  }
}

variable "async_retries" {
  description = "Number of retries (0 to 2) of an asynchronous event before it moves to the failures queue."
  type        = number
  default     = 2

  validation {
    condition     = contains([0, 1, 2], var.async_retries)
    error_message = "async_retries is out of range: set it to 0, 1 or 2."
  }
}

variable "canary_weight" {
  description = "Share (0 to 1) of invocations that the newest version gets; live_version gets the rest."
  type        = number
  default     = 0

  validation {
    condition     = var.canary_weight >= 0 && var.canary_weight < 1 && (var.canary_weight == 0 || var.live_version != null)
    error_message = "canary_weight must be at least 0 and below 1, and needs live_version for the other invocations."
  }

  validation {
    # Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    condition     = var.canary_weight == 0 || var.provisioned_concurrency == 0
    error_message = <<-EOT
      canary_weight and provisioned_concurrency are both set, and Lambda refuses an alias with weights and provisioned
      concurrency. Remove one of them while the canary runs.
    EOT
  }
}

variable "environment" {
  description = <<-EOT
    Environment variables of the function. The module adds LOG_LEVEL, and with metrics_namespace
    POWERTOOLS_METRICS_NAMESPACE and POWERTOOLS_SERVICE_NAME unless they are among these.
  EOT
  type        = map(string)
  default     = {}

  validation {
    # Source: https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))])
    error_message = <<-EOT
      Lambda refuses these names of environment variables: ${join(", ", [for name in keys(var.environment) : name if !can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))])}.
      Write at least 2 letters, digits and underscores, a letter first.
    EOT
  }

  validation {
    condition     = length(setintersection(keys(var.environment), local.reserved_variables)) == 0
    error_message = <<-EOT
      Lambda sets these environment variables itself: ${join(", ", setintersection(keys(var.environment), local.reserved_variables))}. Choose other
      names.
    EOT
  }

  validation {
    condition     = !contains(keys(var.environment), "LOG_LEVEL")
    error_message = <<-EOT
      environment sets LOG_LEVEL: set log_level instead, because Lambda filters the log by it before the variable
      counts.
    EOT
  }
}

variable "ephemeral_storage_mb" {
  description = "Size of /tmp in MiB, 512 to 10240."
  type        = number
  default     = 512

  validation {
    condition     = var.ephemeral_storage_mb >= 512 && var.ephemeral_storage_mb <= 10240
    error_message = "ephemeral_storage_mb is out of range: set it to 512 to 10240."
  }
}

variable "handler" {
  description = "Handler of the function; null uses <name>.handler.lambda_handler, with underscores."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = <<-EOT
    ARN of the customer managed key for environment variables, logs and the failures queue; null uses AWS's default
    encryption. The key's policy must allow logs.<region>.amazonaws.com. With SNS triggers it must also allow
    sns.amazonaws.com, and with event or schedule triggers events.amazonaws.com (kms:GenerateDataKey*, kms:Decrypt), or
    these services lose the events that they can't deliver.
  EOT
  type        = string
  default     = null
}

variable "layers" {
  description = "ARNs of the function's layer versions."
  type        = list(string)
  default     = []
}

variable "live_version" {
  description = "Version that the alias live points to; null uses the newest."
  type        = string
  default     = null
}

variable "log_level" {
  description = "Log level: DEBUG, INFO, WARN or ERROR."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.log_level)
    error_message = "log_level is not supported: set it to DEBUG, INFO, WARN or ERROR."
  }
}

variable "log_retention_days" {
  description = "Number of days to keep logs."
  type        = number
  default     = 30
}

variable "memory_mb" {
  description = "Memory in MiB, 128 to 10240. CPU grows with it (1 vCPU at 1769)."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "memory_mb is out of range: set it to 128 to 10240."
  }
}

variable "metrics_namespace" {
  description = <<-EOT
    CloudWatch namespace of the metrics that the function's code writes with Powertools for AWS Lambda, which reads it
    from an environment variable; null sets no variables for Powertools.
  EOT
  type        = string
  default     = null

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Namespace
    condition     = var.metrics_namespace == null || can(regex("^[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{0,254}$", var.metrics_namespace)) && !startswith(coalesce(var.metrics_namespace, "-"), "AWS/")
    error_message = <<-EOT
      metrics_namespace is not valid: write 1 to 255 letters, digits, spaces and . - _ / # :, such as Eventloom/dev. It
      must not start with a space, a colon or AWS/.
    EOT
  }
}

variable "permissions" {
  description = "Statements of the function's role, by a name that says why; see schema/variables.tf."
  type        = any # schema/ has the type, and rejects misspelled attributes
  default     = {}
  nullable    = false
}

variable "permissions_boundary" {
  description = "ARN of the policy that limits the role, if your organization requires a boundary; null sets none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z0-9-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = <<-EOT
      permissions_boundary is not the ARN of a policy: write for example
      arn:aws:iam::123456789012:policy/developer-boundary.
    EOT
  }
}

variable "provisioned_concurrency" {
  description = "Number of execution environments to keep initialized for the alias live."
  type        = number
  default     = 0

  validation {
    condition     = var.provisioned_concurrency >= 0
    error_message = "provisioned_concurrency is negative: set it to 0 or more."
  }

  validation {
    # Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
    condition     = var.provisioned_concurrency <= coalesce(var.reserved_concurrency, var.provisioned_concurrency)
    error_message = <<-EOT
      provisioned_concurrency is higher than reserved_concurrency, which Lambda refuses. Lower it to
      reserved_concurrency, or raise that.
    EOT
  }
}

variable "reserved_concurrency" {
  description = "Concurrency reserved for the function, which is also its limit; null uses the account's."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.reserved_concurrency, 0) >= 0
    error_message = "reserved_concurrency is negative: set it to 0 or more, or to null for the account's concurrency."
  }
}

variable "role_name" {
  description = <<-EOT
    Name of the function's role; null takes the function's name. Roles belong to the whole account, so a function of the
    same prefix and name in a second region needs another one.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.role_name == null || can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "role_name is not a valid role name: write 1 to 64 letters, digits and + = , . @ _ -."
  }
}

variable "role_path" {
  description = "Path of the role, such as /automation/, if your organization grants permissions by path."
  type        = string
  default     = "/"

  validation {
    # Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    condition     = can(regex("^/([!-~]+/)?$", var.role_path)) && length(var.role_path) <= 512
    error_message = "role_path is not valid: write / or a path with a slash at both ends, such as /automation/."
  }
}

variable "runtime" {
  description = "Lambda runtime of the function."
  type        = string
  default     = "python3.13"
}

variable "snap_start" {
  description = "Whether to start execution environments from a snapshot (SnapStart)."
  type        = bool
  default     = false

  validation {
    # Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
    condition     = !var.snap_start || (var.provisioned_concurrency == 0 && var.ephemeral_storage_mb == 512)
    error_message = <<-EOT
      snap_start doesn't support these settings: set provisioned_concurrency to 0 and ephemeral_storage_mb to 512, or
      turn snap_start off.
    EOT
  }
}

variable "stream_age_alarm_s" {
  description = "Number of seconds that the function may be behind a stream before the alarm fires."
  type        = number
  default     = 300
}

variable "stream_failures" {
  description = <<-EOT
    Where stream triggers keep what fails. By default it is the failures queue, whose messages point to records that the
    stream keeps for a day or more. With to_s3 the records themselves go to the bucket (and its kms_key_arn). The
    function then has no failures queue and no alarm for it unless another trigger needs them; the alarm for errors
    remains.
  EOT
  type        = object({ to_s3 = bool, bucket_arn = optional(string), kms_key_arn = optional(string) })
  default     = { to_s3 = false }

  validation {
    condition     = var.stream_failures.to_s3 == (var.stream_failures.bucket_arn != null)
    error_message = "stream_failures needs a bucket_arn with to_s3 = true, and none without it."
  }
}

variable "tags" {
  description = "Tags of every resource of the module, in addition to the provider's default_tags."
  type        = map(string)
  default     = {}

  validation {
    # Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    condition     = alltrue([for key in keys(var.tags) : length(key) <= 128 && !startswith(lower(key), "aws:")])
    error_message = "tags has a key that AWS refuses: write at most 128 characters that don't start with aws:."
  }
}

variable "timeout_s" {
  description = "Timeout of an invocation in seconds, 1 to 900."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_s >= 1 && var.timeout_s <= 900
    error_message = "timeout_s is out of range: set it to 1 to 900."
  }
}

variable "tracing" {
  description = "Whether to trace invocations with X-Ray."
  type        = bool
  default     = false
}

variable "triggers" {
  description = "Triggers of the function, by kind and by a name of your choice; see schema/triggers.tf."
  type        = any # schema/ has the type, and rejects misspelled attributes
  default     = {}
  nullable    = false
}

variable "vpc" {
  description = <<-EOT
    Subnets and security groups of the function; null runs it outside your VPCs. Destroying these subnets takes up to 40
    minutes, until Lambda has deleted its network interfaces.
  EOT
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null
}
