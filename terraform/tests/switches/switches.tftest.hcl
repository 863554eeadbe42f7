# All switches on. scripts/check_terraform.py runs this in the workspace `dev`.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_module {
  target = module.environments

  outputs = {
    names = ["dev"]

    settings = {
      dev = {
        activity_shards                 = 0
        alarm_emails                    = ["ops@example.com"]
        alb                             = true
        alb_certificate_arn             = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
        allowed_account_ids             = ["123456789012"]
        allowed_origins                 = ["https://photos.example.com"]
        api_auth                        = "cognito"
        api_throttle                    = { rate = 50, burst = 100 }
        athena                          = true
        backfill                        = true
        digest_schedule                 = "cron(0 6 * * ? *)"
        log_level                       = "INFO"
        log_retention_days              = 30
        mail_from                       = "eventloom@example.com"
        mail_to                         = ["ops@example.com"]
        object_retention_days           = 30
        owns_api_gateway_account        = true
        permissions_boundary            = "arn:aws:iam::123456789012:policy/boundary"
        point_in_time_recovery          = true
        protected                       = false
        quota_per_day                   = null
        recoverer_dry_run               = false
        role_path                       = "/automation/"
        tags                            = { CostCenter = "photos" }
        thumbnailer_ceiling             = 100
        thumbnailer_maximum_concurrency = 50
        thumbnailer_memory_mb           = 1769
        tracing                         = true
        vpc                             = true
      }
    }
  }
}

variables {
  packages = "tests/packages"
}

run "everything_on" {
  assert {
    condition = alltrue([for role in [aws_iam_role.backfill[0], aws_iam_role.api_gateway_logs[0]] :
      role.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && role.path == "/automation/"
    ])
    error_message = "Roles of the root must have the environment's boundary and path, as those of the functions."
  }

  assert {
    condition     = local.tags == { CostCenter = "photos", Environment = "dev", ManagedBy = "terraform", Project = "eventloom" }
    error_message = "The environment's tags must be added to those of every resource."
  }

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
