# Required

variable "alias_invoke_arn" {
  description = "ARN by which API Gateway invokes the function: its alias_invoke_arn."
  type        = string
}

variable "name" {
  description = "Name of the API."
  type        = string
}

# Optional

variable "access_logs" {
  description = "Log every request. API Gateway refuses the stage until the account has a role for its logs (aws_api_gateway_account): let the module depend on what sets it."
  type        = bool
  default     = true
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm goes off and when it is over."
  type        = list(string)
  default     = []
}

variable "auth" {
  description = "How callers are authenticated: api_key (with a usage plan), iam (signed requests) or cognito (tokens of a user pool)."
  type        = string
  default     = "api_key"

  validation {
    condition     = contains(["api_key", "iam", "cognito"], var.auth)
    error_message = "auth is api_key, iam or cognito."
  }
}

variable "cors" {
  description = "Let the function answer preflight requests (OPTIONS), which carry no credentials."
  type        = bool
  default     = false
}

variable "description" {
  description = "What the API is for."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Customer managed key for access logs; null leaves them to a key of AWS."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that access logs are kept."
  type        = number
  default     = 30
}

variable "open_paths" {
  description = "What everyone may GET: \"/\", paths of one segment, or all below one (/name/{file+}). README.md says how one is closed."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for path in var.open_paths : can(regex("^/([A-Za-z0-9._-]*|[A-Za-z0-9._-]+/\\{[a-z]+\\+\\})$", path))])
    error_message = "An open path is /, /name or /name/{file+}: never everything."
  }
}

variable "open_posts" {
  description = "Paths of one segment that everyone may POST to: for webhooks, whose signature the function checks. README.md says how one is closed."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for path in var.open_posts : can(regex("^/[A-Za-z0-9._-]+$", path))])
    error_message = "A path of open_posts is /name: one segment, no wildcard."
  }
}

variable "quota_per_day" {
  description = "Requests a day of the API key; null sets no quota."
  type        = number
  default     = null
}

variable "stage" {
  description = "Name of the stage: the first segment of the URL's path."
  type        = string
  default     = "v1"
}

variable "throttle" {
  description = "Requests a second, and how many at once, before callers get 429."
  type        = object({ rate = number, burst = number })
  default     = { rate = 50, burst = 100 }

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst > 0
    error_message = "rate and burst are above 0: a throttle of 0 lets nobody in."
  }
}

variable "tracing" {
  description = "Trace requests with X-Ray."
  type        = bool
  default     = false
}

variable "user_pool_arns" {
  description = "Cognito user pools whose tokens are accepted, with auth = \"cognito\"."
  type        = list(string)
  default     = []

  validation {
    condition     = (var.auth == "cognito") == (length(var.user_pool_arns) > 0)
    error_message = "user_pool_arns goes with auth = \"cognito\", and only with it."
  }
}
