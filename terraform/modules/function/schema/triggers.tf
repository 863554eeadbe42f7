variable "triggers" {
  description = "What invokes the function: by kind, and by a name of one's choice within a kind."

  type = object({
    # A CloudWatch alarm that names the alias among its actions: trigger_alarm.tf
    alarm = optional(map(object({
      alarm_arn = string
    })), {})

    # A path of an Application Load Balancer: trigger_alb.tf
    alb = optional(map(object({
      listener_arn  = string
      priority      = number # among the rules of the listener
      path_patterns = optional(list(string), ["/*"])
    })), {})

    # A REST API of modules/api: trigger_api.tf
    api = optional(map(object({
      execution_arn = string
      stage         = string
    })), {})

    # Changes of a DynamoDB table: trigger_dynamodb_stream.tf
    dynamodb_stream = optional(map(object({
      stream_arn        = string
      batch_size        = optional(number, 100)
      batch_window_s    = optional(number, 0)
      bisect            = optional(bool, true)       # halve a batch that fails, to find the record
      filters           = optional(list(string), []) # JSON patterns; a record must match one
      maximum_age_s     = optional(number, 86400)    # then a record goes to the failures queue
      maximum_retries   = optional(number, 5)        # so does one that failed this often
      parallelization   = optional(number, 1)        # batches of a shard at the same time
      starting_position = optional(string, "TRIM_HORIZON")
      tumbling_window_s = optional(number, 0)
    })), {})

    # Events of an EventBridge bus: trigger_event.tf
    event = optional(map(object({
      pattern         = string # JSON
      bus_name        = optional(string, "default")
      maximum_age_s   = optional(number, 86400) # of an event that can't be delivered
      maximum_retries = optional(number, 185)
    })), {})

    # Records of a Kinesis stream: trigger_kinesis.tf
    kinesis = optional(map(object({
      stream_arn        = string
      batch_size        = optional(number, 100)
      batch_window_s    = optional(number, 0)
      bisect            = optional(bool, true)
      filters           = optional(list(string), [])
      kms_key_arn       = optional(string) # customer managed key of the stream
      maximum_age_s     = optional(number, 86400)
      maximum_retries   = optional(number, 5)
      parallelization   = optional(number, 1)
      starting_position = optional(string, "TRIM_HORIZON")
      tumbling_window_s = optional(number, 0)
    })), {})

    # Objects of a bucket, asynchronously: trigger_s3.tf. The bucket module takes the notification from s3_notifications.
    s3 = optional(map(object({
      bucket_arn = string
      events     = optional(list(string), ["s3:ObjectCreated:*"])
      prefix     = optional(string, "")
      suffix     = optional(string, "")
    })), {})

    # The clock: trigger_schedule.tf
    schedule = optional(map(object({
      expression = string # cron(0 3 * * ? *) in UTC, or rate(5 minutes)
      enabled    = optional(bool, true)
      input      = optional(string) # JSON; null: the event of EventBridge
    })), {})

    # Messages of an SNS topic: trigger_sns.tf
    sns = optional(map(object({
      topic_arn           = string
      filter_policy       = optional(string) # JSON
      filter_policy_scope = optional(string, "MessageAttributes")
    })), {})

    # Messages of a queue: trigger_sqs.tf
    sqs = optional(map(object({
      queue_arn           = string
      batch_size          = optional(number, 10)
      batch_window_s      = optional(number, 0)
      filters             = optional(list(string), [])
      kms_key_arn         = optional(string) # customer managed key of the queue
      maximum_concurrency = optional(number) # rather than reserved concurrency: throttled receives count towards the DLQ
    })), {})

    # A URL of its own: trigger_url.tf
    url = optional(map(object({
      auth          = optional(string, "AWS_IAM")
      caller_arns   = optional(list(string), []) # roles that may call; others of the account need lambda:InvokeFunctionUrl and lambda:InvokeFunction
      cors_origins  = optional(list(string), [])
      public_reason = optional(string) # why everyone may call, with auth = "NONE"; whoever has AWS credentials can then invoke the alias past the URL, too
    })), {})
  })

  validation {
    condition     = alltrue([for trigger in var.triggers.sqs : trigger.batch_size >= 1 && trigger.batch_size <= (trigger.batch_window_s >= 1 ? 10000 : 10)])
    error_message = "batch_size of an SQS trigger is 1 to 10, or up to 10000 with a batch_window_s of at least 1."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.sqs : coalesce(trigger.maximum_concurrency, 2) >= 2 && coalesce(trigger.maximum_concurrency, 2) <= 1000])
    error_message = "maximum_concurrency of an SQS trigger is 2 to 1000."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.sqs), values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.batch_window_s >= 0 && trigger.batch_window_s <= 300
    ])
    error_message = "batch_window_s is 0 to 300."
  }

  validation {
    condition = alltrue(flatten([for trigger in concat(values(var.triggers.sqs), values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      [for filter in trigger.filters : can(jsondecode(filter))]
    ]))
    error_message = "filters are JSON patterns: write jsonencode({ ... })."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.batch_size >= 1 && trigger.batch_size <= 10000
    ])
    error_message = "batch_size of a stream is 1 to 10000."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.maximum_retries >= 0 && trigger.maximum_retries <= 10000 && trigger.maximum_age_s >= 60 && trigger.maximum_age_s <= 604800
    ])
    error_message = "A stream needs limits, or one bad record blocks its shard until it expires: maximum_retries 0 to 10000, maximum_age_s 60 to 604800."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.parallelization >= 1 && trigger.parallelization <= 10 && trigger.tumbling_window_s >= 0 && trigger.tumbling_window_s <= 900
    ])
    error_message = "parallelization is 1 to 10 and tumbling_window_s is 0 to 900."
  }

  validation {
    # https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      trigger.tumbling_window_s == 0 || trigger.parallelization == 1
    ])
    error_message = "A tumbling window needs parallelization = 1: its state goes from batch to batch of a shard."
  }

  validation {
    condition = alltrue([for trigger in concat(values(var.triggers.dynamodb_stream), values(var.triggers.kinesis)) :
      contains(["TRIM_HORIZON", "LATEST"], trigger.starting_position)
    ])
    error_message = "starting_position is TRIM_HORIZON (nothing is missed) or LATEST."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.event : can(keys(jsondecode(trigger.pattern)))])
    error_message = "pattern of an event is a JSON object: write jsonencode({ source = [...] })."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.event : trigger.maximum_retries >= 0 && trigger.maximum_retries <= 185 && trigger.maximum_age_s >= 60 && trigger.maximum_age_s <= 86400])
    error_message = "An event is retried 0 to 185 times for 60 to 86400 seconds."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.schedule : can(regex("^(cron\\([^ ]+( [^ ]+){5}\\)|rate\\([1-9][0-9]* (minutes?|hours?|days?)\\))$", trigger.expression))])
    error_message = "A schedule is cron(minute hour day month weekday year) in UTC, with six fields, or rate(5 minutes)."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.schedule : trigger.input == null || can(jsondecode(trigger.input))])
    error_message = "input of a schedule is JSON: write jsonencode({ ... })."
  }

  validation {
    condition = alltrue([for trigger in var.triggers.sns :
      (trigger.filter_policy == null || can(keys(jsondecode(trigger.filter_policy)))) && contains(["MessageAttributes", "MessageBody"], trigger.filter_policy_scope)
    ])
    error_message = "filter_policy of an SNS trigger is a JSON object (write jsonencode({ ... })), and its scope is MessageAttributes or MessageBody."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.s3 : length(trigger.events) > 0])
    error_message = "An S3 trigger needs at least one event."
  }

  validation {
    condition     = length(var.triggers.url) <= 1
    error_message = "An alias has one URL."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.url : trigger.auth == "AWS_IAM" || (trigger.auth == "NONE" && trigger.public_reason != null)])
    error_message = "auth of a URL is AWS_IAM, or NONE with a public_reason: the whole world may then call the function."
  }

  validation {
    condition     = alltrue([for trigger in var.triggers.alb : trigger.priority >= 1 && trigger.priority <= 50000 && length(trigger.path_patterns) >= 1 && length(trigger.path_patterns) <= 5])
    error_message = "A listener rule has a priority of 1 to 50000 and 1 to 5 path patterns."
  }
}
