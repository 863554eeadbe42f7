# The environment's CloudWatch dashboard.

locals {
  custom = local.metrics_namespace
  prices = jsondecode(file("${path.module}/prices.json"))

  # These metrics are hidden, because only the cost expression uses them.
  thumbnailer_sums = [
    [local.custom, "ImagesReady", "service", "thumbnailer", { id = "ready", visible = false }],
    [local.custom, "ImagesRejected", "service", "thumbnailer", { id = "rejected", visible = false }],
    ["AWS/Lambda", "Duration", "FunctionName", module.thumbnailer.function_name, { id = "duration", visible = false }],
    ["AWS/Lambda", "Invocations", "FunctionName", module.thumbnailer.function_name, { id = "runs", visible = false }],
  ]

  # These are list prices. Lambda's cost comes from its metrics. Each image also costs 4 S3 writes (the upload and 3
  # thumbnails), an S3 read, 3 SQS requests and 2 DynamoDB writes (the item and its index entry).
  gb_s_price = local.environment.thumbnailer_memory_mb / 1024 / 1000 * local.prices.lambda_gb_s[var.architecture]
  per_image  = 4 * local.prices.s3_put + local.prices.s3_get + 4 * local.prices.sqs_request + 2 * local.prices.dynamodb_write
  cost       = "1000 * ((duration * ${local.gb_s_price} + runs * ${local.prices.lambda_request}) / (FILL(ready, 0) + FILL(rejected, 0)) + ${local.per_image})"

  dashboard_rows = [
    {
      title = "Photos to thumbnails"
      widgets = [
        { title = "Uploads, and what became of them", stat = "Sum", metrics = concat(
          [["AWS/SQS", "NumberOfMessagesSent", "QueueName", module.uploads_queue.name, { label = "events" }]],
          [for name in ["ImagesReady", "ImagesRejected", "ImagesDeleted"] : [local.custom, name, "service", "thumbnailer"]],
        ) },
        { title = "Backlog", stat = "Maximum", metrics = [
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", module.uploads_queue.name],
          ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", module.uploads_queue.name],
        ] },
        { title = "Age of the oldest message (s)", stat = "Maximum", metrics = [
          ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", module.uploads_queue.name],
        ] },
        { title = "Rejected, by reason", stat = "Sum", metrics = [
          [{ expression = "SEARCH('{\"${local.custom}\",reason,service} MetricName=\"ImagesRejected\"', 'Sum')" }],
        ] },
      ]
    },
    {
      title = "The thumbnailer's limits"
      widgets = [
        { title = "Duration (ms)", stat = "p50", metrics = [for stat in ["p50", "p95", "p99"] :
          ["AWS/Lambda", "Duration", "FunctionName", module.thumbnailer.function_name, { stat = stat, label = stat }]
        ] },
        { title = "Cost of a thousand images (USD, list prices)", stat = "Sum", metrics = concat(local.thumbnailer_sums, [[{ expression = local.cost, label = "USD" }]]) },
        { title = "Concurrency of the account (% of its quota)", stat = "Maximum", metrics = [
          ["AWS/Usage", "ResourceCount", "Type", "Resource", "Resource", "ConcurrentExecutions", "Service", "Lambda", "Class", "None", { id = "used", visible = false }],
          [{ expression = "used / SERVICE_QUOTA(used) * 100", label = "%" }],
        ] },
        { title = "Dead letters", stat = "Maximum", metrics = [for name, queue in local.dead_letters :
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", element(split(":", queue.arn), 5), { label = name }]
        ] },
      ]
    },
    {
      title = "Functions"
      widgets = [for widget in [
        { title = "Invocations", stat = "Sum", metric = "Invocations" },
        { title = "Errors", stat = "Sum", metric = "Errors" },
        { title = "Duration p95 (ms)", stat = "p95", metric = "Duration" },
        { title = "Concurrency", stat = "Maximum", metric = "ConcurrentExecutions" },
        ] : {
        title   = widget.title
        stat    = widget.stat
        metrics = [for name, function in local.functions : ["AWS/Lambda", widget.metric, "FunctionName", function.function_name, { label = name }]]
      }]
    },
    {
      title = "API"
      widgets = [for widget in [
        { title = "Requests", stat = "Sum", metric = "Count" },
        { title = "Refused", stat = "Sum", metric = "4XXError" },
        { title = "Failed", stat = "Sum", metric = "5XXError" },
        { title = "Latency p95 (ms)", stat = "p95", metric = "Latency" },
        ] : {
        title   = widget.title
        stat    = widget.stat
        metrics = [["AWS/ApiGateway", widget.metric, "ApiName", "${local.prefix}-catalog", "Stage", module.api.stage]]
      }]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.prefix

  dashboard_body = jsonencode({
    widgets = flatten([for row, content in local.dashboard_rows : concat(
      [{ type = "text", x = 0, y = row * 7, width = 24, height = 1, properties = { markdown = "## ${content.title}" } }],
      [for column, widget in content.widgets : {
        type   = "metric"
        x      = column * 6
        y      = row * 7 + 1
        width  = 6
        height = 6
        properties = {
          title   = widget.title
          view    = "timeSeries"
          region  = local.region
          period  = 60
          stat    = widget.stat
          metrics = widget.metrics
        }
      }],
    )])
  })
}
