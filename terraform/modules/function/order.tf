# order.tf - removes triggers before it creates others

# For each function, AWS allows one mapping of a queue or stream, one subscription of a topic, one URL and one listener
# rule per priority. Terraform removes and creates instances of a resource at the same time. If a trigger's key changes,
# the new trigger therefore conflicts with the old one. SNS even returns the old subscription for the new one, so that
# removing the old trigger also removes the new one.
# This resource is replaced when a key or a source changes. Terraform removes the old triggers that depend on it before
# the replacement, and creates the new ones afterwards. A trigger with an unchanged key does not change.
resource "terraform_data" "order" {
  triggers_replace = {
    alb             = { for key, trigger in local.triggers.alb : key => "${trigger.listener_arn} ${trigger.priority}" }
    dynamodb_stream = { for key, trigger in local.triggers.dynamodb_stream : key => trigger.stream_arn }
    kinesis         = { for key, trigger in local.triggers.kinesis : key => trigger.stream_arn }
    sns             = { for key, trigger in local.triggers.sns : key => trigger.topic_arn }
    sqs             = { for key, trigger in local.triggers.sqs : key => trigger.queue_arn }
    url             = keys(local.triggers.url)
  }
}
