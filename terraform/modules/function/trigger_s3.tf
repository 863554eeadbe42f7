# trigger_s3.tf - runs the function on S3 events of a bucket. The bucket module creates the notification from the output
# s3_notifications, because S3 keeps one notification configuration per bucket.

resource "aws_lambda_permission" "s3" {
  for_each       = local.triggers.s3
  statement_id   = "s3-${each.key}"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  qualifier      = aws_lambda_alias.live.name
  principal      = "s3.amazonaws.com"
  source_arn     = each.value.bucket_arn
  source_account = local.account_id
}

output "s3_notifications" {
  description = "Notifications of the S3 triggers, for `notifications` of the bucket module."

  value = { for name, trigger in local.triggers.s3 : "${local.full_name}.${name}" => {
    type   = "function"
    arn    = aws_lambda_alias.live.arn
    events = trigger.events
    prefix = trigger.prefix
    suffix = trigger.suffix
  } }

  # S3 rejects a notification until it may invoke the function.
  depends_on = [aws_lambda_permission.s3]
}
