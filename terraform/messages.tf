# The SNS topic for notices, and the sender of emails.

resource "aws_sns_topic" "notices" {
  name              = "${local.prefix}-notices"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sns_topic_policy" "notices" {
  arn = aws_sns_topic.notices.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.notices.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

# SES sends a confirmation request to this address, and sends no email from it until it is confirmed.
resource "aws_ses_email_identity" "sender" {
  count = local.environment.mail_from == "" ? 0 : 1
  email = local.environment.mail_from
}

locals {
  mail = { SENDER = local.environment.mail_from, RECIPIENTS = join(",", local.environment.mail_to) }

  # In its sandbox, SES also checks the permission to send to the recipients' identities.
  send_mail = local.environment.mail_from == "" ? {} : { send_mail = {
    actions   = ["ses:SendEmail"]
    resources = [for address in concat([local.environment.mail_from], local.environment.mail_to) : "arn:${data.aws_partition.current.partition}:ses:${local.region}:${local.account_id}:identity/${address}"]
    conditions = {
      StringEquals                = { "ses:FromAddress" = [local.environment.mail_from] }
      "ForAllValues:StringEquals" = { "ses:Recipients" = local.environment.mail_to }
    }
  } }
}
