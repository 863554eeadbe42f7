# Required

variable "alias_invoke_arn" {
  description = "Invoke ARN of the function's alias: the function module's output alias_invoke_arn."
  type        = string
}

variable "name" {
  description = "Name of the API."
  type        = string
}

# Optional

variable "access_logs" {
  description = <<-EOT
    Whether to log every request. API Gateway rejects a stage with access logs until the account has a role for them,
    so make the module depend on your aws_api_gateway_account.
  EOT
  type        = bool
  default     = true
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics to notify when an alarm fires and when it recovers."
  type        = list(string)
  default     = []
}

variable "auth" {
  description = "Authentication: api_key (with a usage plan), iam (signed requests) or cognito (user pool tokens)."
  type        = string
  default     = "api_key"

  validation {
    condition     = contains(["api_key", "iam", "cognito"], var.auth)
    error_message = "auth is not supported: set it to api_key, iam or cognito."
  }
}

variable "cors" {
  description = "Whether the function answers preflight requests (OPTIONS), which carry no credentials."
  type        = bool
  default     = false
}

variable "description" {
  description = "Description of the API."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key for access logs; null uses AWS's default encryption."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Number of days to keep access logs."
  type        = number
  default     = 30
}

variable "method_metrics" {
  description = <<-EOT
    Whether to write metrics for each method, which CloudWatch bills as custom metrics. The alarm and the dashboard use
    those of the stage, which are free.
  EOT
  type        = bool
  default     = false
}

variable "open_paths" {
  description = <<-EOT
    Paths that anyone may GET without authentication: "/", "/name", or everything below one segment ("/name/{file+}").
    README.md explains how to close a path again.
  EOT
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for path in var.open_paths : can(regex("^/([A-Za-z0-9._-]*|[A-Za-z0-9._-]+/\\{[a-z]+\\+\\})$", path))])
    error_message = "open_paths contains an unsupported path: write /, /name or /name/{file+}."
  }

  validation {
    # API Gateway allows only one path variable under each parent.
    condition     = alltrue([for parents in values({ for path in var.open_paths : split("/", path)[1] => path... if strcontains(path, "{") }) : length(parents) == 1])
    error_message = <<-EOT
      open_paths contains several wildcards below one segment: ${join(", ", [for path in var.open_paths : path if strcontains(path, "{")])}. Keep one
      for each segment.
    EOT
  }
}

variable "open_posts" {
  description = <<-EOT
    Paths of one segment ("/name") that anyone may POST to without authentication. Use them for webhooks whose signature
    the function checks. README.md explains how to close a path again.
  EOT
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for path in var.open_posts : can(regex("^/[A-Za-z0-9._-]+$", path))])
    error_message = "open_posts contains an unsupported path: write /name, with one segment and no wildcard."
  }
}

variable "quota_per_day" {
  description = "Number of requests per day that the API key allows; null sets no quota."
  type        = number
  default     = null
}

variable "stage" {
  description = "Name of the stage, which is the first segment of the URL's path."
  type        = string
  default     = "v1"
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

variable "throttle" {
  description = "Requests per second (rate) and in a burst (burst) that are accepted; others get status 429."
  type        = object({ rate = number, burst = number })
  default     = { rate = 50, burst = 100 }

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst > 0
    error_message = "throttle rejects every request: set rate and burst to more than 0."
  }
}

variable "tracing" {
  description = "Whether to trace requests with X-Ray."
  type        = bool
  default     = false
}

variable "user_pool_arns" {
  description = "ARNs of the Cognito user pools whose tokens are accepted; required with auth = \"cognito\"."
  type        = list(string)
  default     = []

  validation {
    condition     = (var.auth == "cognito") == (length(var.user_pool_arns) > 0)
    error_message = "user_pool_arns doesn't match auth: set it with auth = \"cognito\", and leave it empty otherwise."
  }
}
