# trigger_s3.tf - runs the function on objects of a bucket. The notification itself belongs to the bucket's module, which
# takes it from the output s3_notifications: S3 keeps one notification document per bucket.

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
  description = "For `notifications` of the bucket's module: what the S3 triggers listen to."

  value = { for name, trigger in local.triggers.s3 : "${replace(var.name, "_", "-")}-${name}" => {
    type   = "function"
    arn    = aws_lambda_alias.live.arn
    events = trigger.events
    prefix = trigger.prefix
    suffix = trigger.suffix
  } }

  # S3 refuses to notify a function that it may not invoke yet
  depends_on = [aws_lambda_permission.s3]
}
