# Required

variable "name" {
  description = "Name of the function: its folder in functions/ (snake_case)."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{1,30}$", var.name))
    error_message = "name is the function's folder: 2 to 31 lower-case letters, digits and underscores."
  }
}

variable "package" {
  description = "Path of the zip that `make build` made; it is hashed at plan."
  type        = string
}

variable "prefix" {
  description = "Prefix of every name: <project>-<environment>, such as eventloom-dev."
  type        = string

  validation {
    # What is added to it may then be as long as names of functions and roles allow (64)
    condition     = can(regex("^[a-z][a-z0-9]*-[a-z][a-z0-9-]+$", var.prefix)) && length(var.prefix) <= 26
    error_message = "prefix is <project>-<environment>, such as eventloom-dev: lower-case letters and digits, a hyphen between them, 26 characters at most."
  }
}

# Optional

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm goes off and when it is over."
  type        = list(string)
  default     = []
}

variable "architecture" {
  description = "Instruction set that the package was built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is x86_64 or arm64."
  }
}

variable "async_maximum_age_s" {
  description = "Seconds that Lambda keeps an event of an asynchronous trigger for another attempt, 60 to 21600."
  type        = number
  default     = 21600
}

variable "async_retries" {
  description = "Further attempts after an asynchronous invocation failed, 0 to 2; then the event goes to the failures queue."
  type        = number
  default     = 2
}

variable "canary_weight" {
  description = "Share (0 to 1) of the invocations that the newest version gets while live_version holds the alias back."
  type        = number
  default     = 0

  validation {
    condition     = var.canary_weight >= 0 && var.canary_weight < 1 && (var.canary_weight == 0 || var.live_version != null)
    error_message = "canary_weight is at least 0 and below 1, and needs live_version: the version that serves the rest."
  }
}

variable "environment" {
  description = "Environment variables of the function; the module adds POWERTOOLS_* and LOG_LEVEL."
  type        = map(string)
  default     = {}
}

variable "ephemeral_storage_mb" {
  description = "Size of /tmp in MiB, 512 to 10240."
  type        = number
  default     = 512
}

variable "handler" {
  description = "Handler; null takes <name>.handler.lambda_handler."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Customer managed key for environment variables, logs and the failures queue; null leaves them to keys of AWS. Its policy must let logs.<region>.amazonaws.com use it, and sns.amazonaws.com and events.amazonaws.com with triggers of those kinds (kms:GenerateDataKey*, kms:Decrypt), or what they can't deliver is lost."
  type        = string
  default     = null
}

variable "layers" {
  description = "ARNs of layer versions."
  type        = list(string)
  default     = []
}

variable "live_version" {
  description = "Version that the alias live is held at; null follows the newest."
  type        = string
  default     = null
}

variable "log_level" {
  description = "DEBUG, INFO, WARN or ERROR."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.log_level)
    error_message = "log_level is DEBUG, INFO, WARN or ERROR."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
}

variable "memory_mb" {
  description = "Memory in MiB; CPU grows with it (1 vCPU at 1769)."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "memory_mb is 128 to 10240."
  }
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the metrics that the function's code writes; null takes the prefix."
  type        = string
  default     = null

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Namespace
    condition     = var.metrics_namespace == null || can(regex("^[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{0,254}$", var.metrics_namespace)) && !startswith(coalesce(var.metrics_namespace, "-"), "AWS/")
    error_message = "metrics_namespace is 1 to 255 letters, digits, spaces and . - _ / # :, such as Eventloom/dev. It must not start with a space, a colon or AWS/."
  }
}

variable "permissions" {
  description = "What the function's code may do, by a name that says why; see schema/variables.tf for the attributes."
  type        = any # typed in schema/, where a misspelt attribute is an error
  default     = {}
}

variable "provisioned_concurrency" {
  description = "Environments of the live version kept warm."
  type        = number
  default     = 0
}

variable "reserved_concurrency" {
  description = "Concurrency reserved for, and limit of, the function; null shares the account's."
  type        = number
  default     = null
}

variable "runtime" {
  description = "Lambda runtime."
  type        = string
  default     = "python3.13"
}

variable "snap_start" {
  description = "Start versions from a snapshot of their initialised environment."
  type        = bool
  default     = false

  validation {
    # https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
    condition     = !var.snap_start || (var.provisioned_concurrency == 0 && var.ephemeral_storage_mb == 512)
    error_message = "SnapStart excludes provisioned concurrency and more than 512 MiB of ephemeral storage."
  }
}

variable "stream_age_alarm_s" {
  description = "Alarm when the function is this many seconds behind a stream."
  type        = number
  default     = 300
}

variable "timeout_s" {
  description = "Seconds after which Lambda ends an invocation."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_s >= 1 && var.timeout_s <= 900
    error_message = "timeout_s is 1 to 900."
  }
}

variable "tracing" {
  description = "Trace invocations with X-Ray."
  type        = bool
  default     = false
}

variable "triggers" {
  description = "What invokes the function, by kind and name; see schema/triggers.tf for kinds and attributes."
  type        = any # typed in schema/, where a misspelt attribute is an error
  default     = {}
}

variable "vpc" {
  description = "Subnets and security groups to run in; null runs outside any VPC of yours."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null
}
