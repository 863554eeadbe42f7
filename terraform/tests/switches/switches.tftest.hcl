# All switches on. scripts/check_terraform.py runs this in the workspace `dev`.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  packages = "tests/packages"

  environments = {
    allowed_account_ids             = { dev = ["123456789012"] }
    activity_shards                 = { dev = 0 }
    alarm_emails                    = { dev = ["ops@example.com"] }
    alb                             = { dev = true }
    alb_certificate_arn             = { dev = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000" }
    allowed_origins                 = { dev = ["https://photos.example.com"] }
    athena                          = { dev = true }
    backfill                        = { dev = true }
    api_auth                        = { dev = "cognito" }
    api_throttle                    = { dev = { rate = 50, burst = 100 } }
    digest_schedule                 = { dev = "cron(0 6 * * ? *)" }
    log_level                       = { dev = "INFO" }
    log_retention_days              = { dev = 30 }
    mail_from                       = { dev = "eventloom@example.com" }
    mail_to                         = { dev = ["ops@example.com"] }
    object_retention_days           = { dev = 30 }
    owns_api_gateway_account        = { dev = true }
    point_in_time_recovery          = { dev = true }
    protected                       = { dev = false }
    recoverer_dry_run               = { dev = false }
    thumbnailer_ceiling             = { dev = 100 }
    thumbnailer_maximum_concurrency = { dev = 50 }
    thumbnailer_memory_mb           = { dev = 1769 }
    tracing                         = { dev = true }
    vpc                             = { dev = true }
  }
}

run "everything_on" {
  assert {
    condition     = length(aws_cognito_user_pool.users) == 1 && output.api_key == null
    error_message = "With Cognito, callers send tokens, so there must be no API key."
  }

  assert {
    condition     = aws_cognito_user_pool_client.web[0].callback_urls == toset([output.gallery_url]) && aws_cognito_user_pool_client.web[0].allowed_oauth_flows == toset(["code"]) && aws_cognito_user_pool_client.web[0].generate_secret == false
    error_message = "The sign-in page must return users to the gallery with an authorization code."
  }

  assert {
    condition     = aws_lb.catalog[0].internal && aws_lb_listener.catalog[0].protocol == "HTTPS" && aws_lb_listener.catalog[0].port == 443
    error_message = "The load balancer must be internal, and use HTTPS if there is a certificate."
  }

  assert {
    condition     = toset(local.upload_origins) == toset([local.api_origin, "https://${aws_lb.catalog[0].dns_name}", "https://photos.example.com"])
    error_message = "Uploads must be allowed from the API, the load balancer and the allowed origins."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.alb[0].cidr_ipv4 == aws_vpc.this[0].cidr_block
    error_message = "Only the network must be able to reach the load balancer."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.gateway)) == toset(["dynamodb", "s3"]) && toset(keys(aws_vpc_security_group_egress_rule.functions)) == toset(["dynamodb", "s3"])
    error_message = "Functions in the network must only reach S3 and DynamoDB."
  }

  assert {
    condition     = length(aws_ses_email_identity.sender) == 1 && length(aws_sns_topic_subscription.alarm_emails) == 1
    error_message = "Emails must have a sender, and alarms a recipient."
  }

  assert {
    condition     = aws_athena_workgroup.analytics[0].configuration[0].enforce_workgroup_configuration && aws_glue_catalog_database.analytics[0].name == "eventloom_dev_analytics"
    error_message = "Athena must have the converter's database, and enforce the workgroup's limits."
  }

  assert {
    condition     = jsondecode(aws_sfn_state_machine.backfill[0].definition).States.Objects.ItemReader.Parameters.Bucket == output.uploads_bucket && output.backfill_state_machine_arn != null
    error_message = "The state machine must read the uploads bucket."
  }

  assert {
    condition = jsondecode(aws_iam_role.backfill[0].assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == [
      "arn:aws:states:eu-west-1:123456789012:stateMachine:eventloom-dev-backfill", "arn:aws:states:eu-west-1:123456789012:stateMachine:eventloom-dev-backfill/*",
    ]
    error_message = "Only the state machine and its batches may assume the role."
  }
}

run "a_setting_lacks_an_environment" {
  command = plan
  variables { environments = merge(var.environments, { vpc = { dev = true, staging = true } }) }
  expect_failures = [var.environments]
}

run "not_an_account" {
  command = plan
  variables { environments = merge(var.environments, { allowed_account_ids = { dev = ["my-account"] } }) }
  expect_failures = [var.environments]
}

run "mail_for_nobody" {
  command = plan
  variables { environments = merge(var.environments, { mail_to = { dev = [] } }) }
  expect_failures = [var.environments]
}

run "ceiling_below_the_floor" {
  command = plan
  variables { environments = merge(var.environments, { thumbnailer_ceiling = { dev = 49 } }) }
  expect_failures = [var.environments]
}

run "ceiling_above_lambda_s" {
  command = plan
  variables { environments = merge(var.environments, { thumbnailer_ceiling = { dev = 1001 } }) }
  expect_failures = [var.environments]
}

run "a_name_too_long_for_a_bucket" {
  command = plan
  variables { environments = { for setting, values in var.environments : setting => { integration-tests = values.dev } } }
  expect_failures = [var.environments]
}

run "no_address" {
  command = plan
  variables { environments = merge(var.environments, { alarm_emails = { dev = ["ops@example.com, oncall@example.com"] } }) }
  expect_failures = [var.environments]
}

run "a_sender_with_a_name" {
  command = plan
  variables { environments = merge(var.environments, { mail_from = { dev = "Eventloom <eventloom@example.com>" } }) }
  expect_failures = [var.environments]
}

run "no_origin" {
  command = plan
  variables { environments = merge(var.environments, { allowed_origins = { dev = ["https://photos.example.com/"] } }) }
  expect_failures = [var.environments]
}
