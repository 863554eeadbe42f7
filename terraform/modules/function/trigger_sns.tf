# trigger_sns.tf - runs the function on messages of an SNS topic

resource "aws_sns_topic_subscription" "sns" {
  # The scope is null for SNS's default, because the provider rejects a scope if the filter is unknown at plan time.
  for_each            = local.triggers.sns
  topic_arn           = each.value.topic_arn
  protocol            = "lambda"
  endpoint            = aws_lambda_alias.live.arn
  filter_policy       = each.value.filter_policy
  filter_policy_scope = each.value.filter_policy_scope == "MessageAttributes" || each.value.filter_policy == null ? null : each.value.filter_policy_scope
  redrive_policy      = jsonencode({ deadLetterTargetArn = aws_sqs_queue.failures[0].arn })

  depends_on = [aws_lambda_permission.sns, terraform_data.order]
}

resource "aws_lambda_permission" "sns" {
  for_each      = local.triggers.sns
  statement_id  = "sns-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "sns.amazonaws.com"
  source_arn    = each.value.topic_arn
}
