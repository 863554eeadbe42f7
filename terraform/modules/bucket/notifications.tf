# Only this resource may set the bucket's notifications: S3 keeps one notification configuration per bucket, and a
# second resource would silently overwrite the first.

locals {
  filters = flatten([for name, target in var.notifications : [for event in target.events : {
    name = name, event = event, prefix = target.prefix, suffix = target.suffix
  }]])

  # Two filters overlap if one event type covers the other, one prefix starts with the other, and one suffix ends with
  # the other. S3 also rejects overlapping filters, but only during apply and without naming them.
  overlaps = distinct(flatten([for i, a in local.filters : [for b in slice(local.filters, i + 1, length(local.filters)) :
    "${a.name} and ${b.name} (${a.event})"
    if(
      (a.event == b.event || anytrue([for pair in [[a.event, b.event], [b.event, a.event]] : endswith(pair[0], "*") && startswith(pair[1], trimsuffix(pair[0], "*"))]))
      && (startswith(a.prefix, b.prefix) || startswith(b.prefix, a.prefix))
      && (endswith(a.suffix, b.suffix) || endswith(b.suffix, a.suffix))
    )
  ]]))
}

resource "aws_s3_bucket_notification" "this" {
  count       = length(var.notifications) > 0 || var.eventbridge ? 1 : 0
  bucket      = aws_s3_bucket.this.id
  eventbridge = var.eventbridge

  dynamic "queue" {
    for_each = { for name, target in var.notifications : name => target if target.type == "queue" }

    content {
      id            = queue.key
      queue_arn     = queue.value.arn
      events        = queue.value.events
      filter_prefix = queue.value.prefix == "" ? null : queue.value.prefix
      filter_suffix = queue.value.suffix == "" ? null : queue.value.suffix
    }
  }

  dynamic "lambda_function" {
    for_each = { for name, target in var.notifications : name => target if target.type == "function" }

    content {
      id                  = lambda_function.key
      lambda_function_arn = lambda_function.value.arn
      events              = lambda_function.value.events
      filter_prefix       = lambda_function.value.prefix == "" ? null : lambda_function.value.prefix
      filter_suffix       = lambda_function.value.suffix == "" ? null : lambda_function.value.suffix
    }
  }

  dynamic "topic" {
    for_each = { for name, target in var.notifications : name => target if target.type == "topic" }

    content {
      id            = topic.key
      topic_arn     = topic.value.arn
      events        = topic.value.events
      filter_prefix = topic.value.prefix == "" ? null : topic.value.prefix
      filter_suffix = topic.value.suffix == "" ? null : topic.value.suffix
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.overlaps) == 0
      error_message = <<-EOT
        Notifications of the bucket ${var.name} overlap: ${join("; ", local.overlaps)}.
        Give them different prefixes, suffixes or events, so that each event matches only one of them.
      EOT
    }
  }
}
