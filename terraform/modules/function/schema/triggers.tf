variable "triggers" {
  description = "Triggers of the function, by kind and by a name of your choice."

  type = object({
    # CloudWatch alarm with alias_arn as an action: trigger_alarm.tf
    alarm = optional(map(object({
      alarm_arn = string
    })), {})

    # Requests to an Application Load Balancer: trigger_alb.tf
    alb = optional(map(object({
      listener_arn  = string
      priority      = number # unique among the listener's rules
      path_patterns = optional(list(string), ["/*"])
    })), {})

    # Requests to a REST API of modules/api: trigger_api.tf
    api = optional(map(object({
      execution_arn = string
      stage         = string
    })), {})

    # Changes of a DynamoDB table: trigger_dynamodb_stream.tf
    dynamodb_stream = optional(map(object({
      stream_arn        = string
      batch_size        = optional(number, 100)
      batch_window_s    = optional(number, 0)
      bisect            = optional(bool, true)       # split a failed batch in two to isolate the bad record
      filters           = optional(list(string), []) # JSON patterns, of which a record must match one
      maximum_age_s     = optional(number, 86400)    # an older record moves to the failures queue
      maximum_retries   = optional(number, 5)        # after these the record moves to the failures queue
      parallelization   = optional(number, 1)        # concurrent batches per shard
      starting_position = optional(string, "TRIM_HORIZON")
      tumbling_window_s = optional(number, 0)
    })), {})

    # Events of an EventBridge bus: trigger_event.tf
    event = optional(map(object({
      pattern         = string # JSON
      bus_name        = optional(string, "default")
      maximum_age_s   = optional(number, 86400) # of an event that EventBridge can't deliver
      maximum_retries = optional(number, 185)
    })), {})

    # Records of a Kinesis stream: trigger_kinesis.tf
    kinesis = optional(map(object({
      stream_arn        = string
      batch_size        = optional(number, 100)
      batch_window_s    = optional(number, 0)
      bisect            = optional(bool, true)
      filters           = optional(list(string), [])
      kms_key_arn       = optional(string) # the stream's customer managed key
      maximum_age_s     = optional(number, 86400)
      maximum_retries   = optional(number, 5)
      parallelization   = optional(number, 1)
      starting_position = optional(string, "TRIM_HORIZON")
      tumbling_window_s = optional(number, 0)
    })), {})

    # S3 events of a bucket: trigger_s3.tf. The bucket module needs the output s3_notifications.
    s3 = optional(map(object({
      bucket_arn = string
      events     = optional(list(string), ["s3:ObjectCreated:*"])
      prefix     = optional(string, "")
      suffix     = optional(string, "")
    })), {})

    # A schedule: trigger_schedule.tf
    schedule = optional(map(object({
      expression = string # cron(0 3 * * ? *) in UTC, or rate(5 minutes)
      enabled    = optional(bool, true)
      input      = optional(string) # JSON; null sends EventBridge's own event
    })), {})

    # Messages of an SNS topic: trigger_sns.tf
    sns = optional(map(object({
      topic_arn           = string
      filter_policy       = optional(string) # JSON
      filter_policy_scope = optional(string, "MessageAttributes")
    })), {})

    # Messages of an SQS queue: trigger_sqs.tf
    sqs = optional(map(object({
      queue_arn           = string
      batch_size          = optional(number, 10)
      batch_window_s      = optional(number, 0)
      filters             = optional(list(string), [])
      kms_key_arn         = optional(string) # the queue's customer managed key
      maximum_concurrency = optional(number) # safer than reserved concurrency, whose throttles count towards the DLQ
    })), {})

    # Requests to a function URL: trigger_url.tf
    url = optional(map(object({
      auth         = optional(string, "AWS_IAM")
      cors_origins = optional(list(string), [])

      # Roles that may call the URL. Other roles of the account need lambda:InvokeFunctionUrl and lambda:InvokeFunction.
      caller_arns = optional(list(string), [])

      # Required with auth = "NONE": the reason to let anyone call. Any AWS credentials can then also invoke the alias.
      public_reason = optional(string)
    })), {})
  })

  validation {
    condition     = alltrue([for trigger in var.triggers.sqs : trigger.batch_size >= 1 && trigger.batch_size <= (trigger.batch_window_s >= 1 ? 10000 : 10)])
    error_message = "An SQS trigger's batch_size must be 1 to 10, or up to 10000 with a batch_window_s of at least 1."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.sqs : coalesce(trigger.maximum_concurrency, 2) >= 2 && coalesce(trigger.maximum_concurrency, 2) <= 1000])
    error_message = "An SQS trigger's maximum_concurrency must be 2 to 1000."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.sqs), values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.batch_window_s >= 0 && trigger.batch_window_s <= 300
    ])
    error_message = "A trigger's batch_window_s must be 0 to 300."
  }

  validation {
    condition = alltrue(flatten([for trigger in concat(values(var.triggers.sqs), values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      [for filter in trigger.filters : can(jsondecode(filter))]
    ]))
    error_message = "A trigger's filter is not JSON: write it as jsonencode({ ... })."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.batch_size >= 1 && trigger.batch_size <= 10000
    ])
    error_message = "A stream trigger's batch_size must be 1 to 10000."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.maximum_retries >= 0 && trigger.maximum_retries <= 10000 && trigger.maximum_age_s >= 60 && trigger.maximum_age_s <= 604800
    ])
    error_message = <<-EOT
      A stream trigger's maximum_retries must be 0 to 10000, and its maximum_age_s 60 to 604800. Without limits one bad
      record blocks its shard until it expires.
    EOT
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.parallelization >= 1 && trigger.parallelization <= 10 && trigger.tumbling_window_s >= 0 && trigger.tumbling_window_s <= 900
    ])
    error_message = "A stream trigger's parallelization must be 1 to 10, and its tumbling_window_s 0 to 900."
  }

  validation {
    # Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.tumbling_window_s == 0 || trigger.parallelization == 1
    ])
    error_message = "A stream trigger with tumbling_window_s passes state between batches: set parallelization to 1."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      contains(["TRIM_HORIZON", "LATEST"], trigger.starting_position)
    ])
    error_message = "A stream trigger's starting_position must be TRIM_HORIZON (the oldest record) or LATEST."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.event : can(keys(jsondecode(trigger.pattern)))])
    error_message = "An event trigger's pattern is not a JSON object: write jsonencode({ source = [...] })."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.event : trigger.maximum_retries >= 0 && trigger.maximum_retries <= 185 && trigger.maximum_age_s >= 60 && trigger.maximum_age_s <= 86400])
    error_message = "An event trigger's maximum_retries must be 0 to 185, and its maximum_age_s 60 to 86400."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.schedule : trigger.input == null || can(jsondecode(trigger.input))])
    error_message = "A schedule's input is not JSON: write jsonencode({ ... })."
  }

  validation {
    condition = alltrue([for trigger in var.triggers.sns :
      (trigger.filter_policy == null || can(keys(jsondecode(trigger.filter_policy)))) && contains(["MessageAttributes", "MessageBody"], trigger.filter_policy_scope)
    ])
    error_message = <<-EOT
      An SNS trigger's filter_policy must be a JSON object, written as jsonencode({ ... }), and its filter_policy_scope
      MessageAttributes or MessageBody.
    EOT
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.s3 : length(trigger.events) > 0])
    error_message = "An S3 trigger has no events: add at least one, such as s3:ObjectCreated:*."
  }

  validation {
    condition     = length(var.triggers.url) <= 1
    error_message = "A function supports one URL: remove the other url triggers."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.url : trigger.auth == "AWS_IAM" || (trigger.auth == "NONE" && trigger.public_reason != null)])
    error_message = "A URL's auth must be AWS_IAM, or NONE with a public_reason for letting anyone call it."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.alb : trigger.priority >= 1 && trigger.priority <= 50000 && length(trigger.path_patterns) >= 1 && length(trigger.path_patterns) <= 5])
    error_message = "An ALB trigger's priority must be 1 to 50000, and it needs 1 to 5 path_patterns."
  }
}
