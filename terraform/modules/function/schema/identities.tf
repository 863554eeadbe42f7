# Keys of triggers become parts of the names of statements (100 letters, digits, hyphens and underscores) and of role
# policies. Keys of one kind differ, but two keys may refer to the same resource on AWS: see local.shared.

locals {
  bad_keys = flatten([for kind, triggers in var.triggers : [
    for name in keys(triggers) : "triggers.${kind}[${jsonencode(name)}]" if !can(regex("^[A-Za-z0-9_-]{1,64}$", name))
  ]])

  # The resources that AWS allows once per function, with the trigger that creates each. SNS returns the existing
  # subscription for a second one on the same topic, so two triggers would overwrite and remove each other's.
  identities = concat(
    [for name, trigger in var.triggers.sqs : { trigger = "triggers.sqs.${name}", identity = "the queue ${trigger.queue_arn}" }],
    [for name, trigger in var.triggers.sns : { trigger = "triggers.sns.${name}", identity = "the topic ${trigger.topic_arn}" }],
    [for name, trigger in var.triggers.kinesis : { trigger = "triggers.kinesis.${name}", identity = "the stream ${trigger.stream_arn}" }],
    [for name, trigger in var.triggers.dynamodb_stream : { trigger = "triggers.dynamodb_stream.${name}", identity = "the stream ${trigger.stream_arn}" }],
    [for name, trigger in var.triggers.alb : { trigger = "triggers.alb.${name}", identity = "priority ${trigger.priority} of ${trigger.listener_arn}" }],
  )
  shared = [
    for identity in distinct(local.identities[*].identity) :
    "${join(" and ", [for item in local.identities : item.trigger if item.identity == identity])} use ${identity}"
    if length([for item in local.identities : item.trigger if item.identity == identity]) > 1
  ]

  on_fifo = [for name, trigger in var.triggers.sqs : name if endswith(trigger.queue_arn, ".fifo")]
}

locals {
  # IAM accepts only letters and digits in a Sid, and each Sid once per policy.
  permission_sids    = { for name in keys(var.permissions) : name => replace(title(replace(name, "/[^A-Za-z0-9]/", " ")), " ", "") }
  permissions_by_sid = { for name, sid in local.permission_sids : sid => name... }
}
