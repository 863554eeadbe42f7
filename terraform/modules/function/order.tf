# order.tf - removes triggers before it creates others

# AWS allows one mapping of a queue or stream per function, one subscription of a topic, one URL and one listener rule
# per priority. Terraform removes and creates instances of a resource at the same time. So a trigger with another key
# would meet the old one: AWS answers with a conflict, and SNS even takes the old subscription for the new one, so that
# the removal of the old one ends both.
# This resource is replaced when a key or a source changes. Terraform removes what depends on it before, and creates what
# depends on it afterwards. A trigger whose key stays is not touched.
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
