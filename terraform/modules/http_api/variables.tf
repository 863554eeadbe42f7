# Required

variable "functions" {
  description = "ARNs of the aliases that the routes run, by a name of your choice: the function module's output alias_arn."
  type        = map(string)

  validation {
    condition     = alltrue([for arn in values(var.functions) : can(regex("^arn:[^:]+:lambda:[^:]+:[^:]+:function:[^:]+:[^:]+$", arn))])
    error_message = "functions has a value that is not the ARN of an alias: write module.<function>.alias_arn."
  }
}

variable "name" {
  description = "Name of the API."
  type        = string

  validation {
    # The log group and the alarm also have this name.
    condition     = can(regex("^[A-Za-z0-9._-]{1,100}$", var.name))
    error_message = "name is not valid: write 1 to 100 letters, digits, dots, underscores and hyphens."
  }
}

variable "routes" {
  description = <<-EOT
    Which function runs for which requests, by route key: "GET /orders/{id}", "ANY /files/{path+}", or "$default" for
    all other requests. `open` lets everybody call a route. `scopes` are those of which a token needs one.
  EOT
  type = map(object({
    function = string # a key of `functions`
    open     = optional(bool, false)
    scopes   = optional(list(string))
    throttle = optional(object({ rate = number, burst = number })) # null is the throttle of the API
  }))

  validation {
    condition     = alltrue([for key in keys(var.routes) : can(regex("^(\\$default|(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|ANY) /(([A-Za-z0-9._~-]+|\\{[A-Za-z0-9_-]+\\})(/([A-Za-z0-9._~-]+|\\{[A-Za-z0-9_-]+\\}))*(/\\{[A-Za-z0-9_-]+\\+\\})?|\\{[A-Za-z0-9_-]+\\+\\})?)$", key))])
    error_message = <<-EOT
      routes has a key that is not a route: write a method or ANY, a space and a path, such as "GET /orders/{id}" or
      "ANY /files/{path+}", or "$default". Only the last segment may be a greedy variable.
    EOT
  }

  validation {
    condition     = alltrue([for route in var.routes : contains(keys(var.functions), route.function)])
    error_message = "routes names a function that is not a key of functions: ${join(", ", setsubtract([for route in var.routes : route.function], keys(var.functions)))}."
  }

  validation {
    condition     = var.auth == "jwt" || alltrue([for route in var.routes : route.scopes == null])
    error_message = "routes sets scopes, which only tokens have: set auth to jwt, or remove scopes."
  }

  validation {
    condition     = alltrue([for route in var.routes : route.throttle == null ? true : route.throttle.rate > 0 && route.throttle.burst > 0])
    error_message = "routes has a throttle that rejects every request: set rate and burst to more than 0."
  }
}

# Optional

variable "access_logs" {
  description = "Whether to log every request. Unlike a REST API, an HTTP API needs no role of the account for that."
  type        = bool
  default     = true
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics to notify when an alarm fires and when it recovers."
  type        = list(string)
  default     = []
}

variable "auth" {
  description = "Authentication: iam (signed requests), jwt (tokens of an OpenID provider) or lambda (a function decides)."
  type        = string
  default     = "iam"

  validation {
    condition     = contains(["iam", "jwt", "lambda"], var.auth)
    error_message = "auth is not supported: set it to iam, jwt or lambda. A route with open = true needs none."
  }
}

variable "cors" {
  description = "Which web pages of other origins may call the API, and read which headers; null allows none."
  type = object({
    allow_origins     = list(string) # https://example.org, or * for all
    allow_credentials = optional(bool, false)
    allow_headers     = optional(list(string), ["authorization", "content-type"])
    allow_methods     = optional(list(string), ["GET", "POST", "PUT", "PATCH", "DELETE"])
    expose_headers    = optional(list(string), [])
    max_age_s         = optional(number, 600)
  })
  default = null

  validation {
    condition     = var.cors == null ? true : !(var.cors.allow_credentials && contains(concat(var.cors.allow_origins, var.cors.allow_headers, var.cors.allow_methods), "*"))
    error_message = "cors allows credentials together with *, which browsers refuse: name the origins, headers and methods."
  }

  validation {
    condition     = var.cors == null ? true : alltrue([for origin in var.cors.allow_origins : can(regex("^(\\*|https?://(\\*|[^/]+))$", origin))])
    error_message = "cors has an origin that is not valid: write https://example.org, without a path or a slash at the end, or *."
  }

  validation {
    # The route $default also catches preflight requests, which carry no credentials.
    # Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    condition = var.cors == null || try(var.routes["$default"].open, true) || anytrue([
      for key, route in var.routes : route.open && can(regex("^OPTIONS /\\{[^}]+\\+\\}$", key))
    ])
    error_message = <<-EOT
      cors has no effect, because the route $default refuses preflight requests: add the route "OPTIONS /{path+}" with
      open = true.
    EOT
  }

  validation {
    condition     = var.cors == null ? true : var.cors.max_age_s >= -1 && var.cors.max_age_s <= 86400
    error_message = "cors has a max_age_s that is out of range: set it to -1 to 86400."
  }
}

variable "description" {
  description = "Description of the API."
  type        = string
  default     = null
}

variable "jwt" {
  description = "Whose tokens are accepted, for which audiences (the claim aud or client_id); required with auth = \"jwt\"."
  type        = object({ issuer = string, audiences = list(string) })
  default     = null

  validation {
    condition     = (var.auth == "jwt") == (var.jwt != null)
    error_message = "jwt doesn't match auth: set it with auth = \"jwt\", and leave it null otherwise."
  }

  validation {
    condition     = var.jwt == null ? true : startswith(var.jwt.issuer, "https://") && length(var.jwt.audiences) > 0
    error_message = "jwt accepts no token: set issuer to an https:// URL, and audiences to at least one."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key for access logs; null uses AWS's default encryption."
  type        = string
  default     = null
}

variable "lambda_authorizer" {
  description = <<-EOT
    The function that decides, which answers {"isAuthorized": true}; required with auth = "lambda". API Gateway answers
    401 if a request lacks an identity source, and reuses an answer for the same identity for cache_s seconds.
  EOT
  type = object({
    alias_arn        = string
    cache_s          = optional(number, 0)
    identity_sources = optional(list(string), ["$request.header.Authorization"])
  })
  default = null

  validation {
    condition     = (var.auth == "lambda") == (var.lambda_authorizer != null)
    error_message = "lambda_authorizer doesn't match auth: set it with auth = \"lambda\", and leave it null otherwise."
  }

  validation {
    condition     = var.lambda_authorizer == null ? true : can(regex("^arn:[^:]+:lambda:[^:]+:[^:]+:function:[^:]+:[^:]+$", var.lambda_authorizer.alias_arn))
    error_message = "lambda_authorizer has an alias_arn that is not the ARN of an alias: write module.<function>.alias_arn."
  }

  validation {
    condition     = var.lambda_authorizer == null ? true : var.lambda_authorizer.cache_s >= 0 && var.lambda_authorizer.cache_s <= 3600
    error_message = "lambda_authorizer has a cache_s that is out of range: set it to 0 to 3600."
  }
}

variable "log_retention_days" {
  description = "Number of days to keep access logs."
  type        = number
  default     = 30
}

variable "route_metrics" {
  description = <<-EOT
    Whether to write metrics for each route, which CloudWatch bills as custom metrics. The alarm uses those of the
    stage, which are free.
  EOT
  type        = bool
  default     = false
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
  description = "Requests per second (rate) and in a burst (burst) that each route accepts; others get status 429."
  type        = object({ rate = number, burst = number })
  default     = { rate = 50, burst = 100 }

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst > 0
    error_message = "throttle rejects every request: set rate and burst to more than 0."
  }
}
