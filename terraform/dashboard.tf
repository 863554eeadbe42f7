# One page that says how the environment is doing

locals {
  region = data.aws_region.current.name

  # A row of the dashboard: title, and its widgets as title, statistic and metrics
  dashboard_rows = [
    {
      title = "Photos to thumbnails"
      widgets = [
        { title = "Backlog", stat = "Maximum", metrics = [
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", module.uploads_queue.name],
          ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", module.uploads_queue.name],
        ] },
        { title = "Age of the oldest message (s)", stat = "Maximum", metrics = [
          ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", module.uploads_queue.name],
        ] },
        { title = "Dead letters", stat = "Maximum", metrics = [
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", module.uploads_queue.dlq_name],
        ] },
        { title = "Rejected, by reason", stat = "Sum", metrics = [
          [{ expression = "SEARCH('{Eventloom/${terraform.workspace},reason,service} MetricName=\"ImagesRejected\"', 'Sum')" }],
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
