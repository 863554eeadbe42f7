# What the table accepts, and which mistakes fail a plan.

variables {
  setting_names = ["vpc"]

  activity_shards                 = { dev = 0 }
  alarm_emails                    = { dev = ["ops@example.com"] }
  alb                             = { dev = true }
  alb_certificate_arn             = { dev = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000" }
  allowed_account_ids             = { dev = ["123456789012"] }
  allowed_origins                 = { dev = ["https://photos.example.com"] }
  api_auth                        = { dev = "cognito" }
  api_throttle                    = { dev = { rate = 50, burst = 100 } }
  athena                          = { dev = true }
  backfill                        = { dev = true }
  digest_schedule                 = { dev = "cron(0 6 * * ? *)" }
  log_level                       = { dev = "INFO" }
  log_retention_days              = { dev = 30 }
  mail_from                       = { dev = "eventloom@example.com" }
  mail_to                         = { dev = ["ops@example.com"] }
  object_retention_days           = { dev = 30 }
  owns_api_gateway_account        = { dev = true }
  permissions_boundary            = { dev = "arn:aws:iam::123456789012:policy/boundary" }
  point_in_time_recovery          = { dev = true }
  protected                       = { dev = false }
  quota_per_day                   = { dev = 20000 }
  recoverer_dry_run               = { dev = false }
  role_path                       = { dev = "/automation/" }
  tags                            = { dev = { CostCenter = "photos" } }
  thumbnailer_ceiling             = { dev = 100 }
  thumbnailer_maximum_concurrency = { dev = 50 }
  thumbnailer_memory_mb           = { dev = 1769 }
  tracing                         = { dev = true }
  vpc                             = { dev = true }
}

run "a_sound_table" {
  assert {
    condition     = output.names == tolist(["dev"])
    error_message = "The environments are the table's columns."
  }

  assert {
    condition     = output.settings.dev.thumbnailer_ceiling == 100 && output.settings.dev.api_throttle.burst == 100
    error_message = "An environment has the values of its column."
  }
}

run "a_setting_lacks_an_environment" {
  command = plan
  variables { vpc = { dev = true, staging = true } }
  expect_failures = [output.settings]
}

run "an_account_id_without_digits" {
  command = plan
  variables { allowed_account_ids = { dev = ["my-account"] } }
  expect_failures = [var.allowed_account_ids]
}

run "an_unknown_api_auth" {
  command = plan
  variables { api_auth = { dev = "none" } }
  expect_failures = [var.api_auth]
}

run "mail_without_recipients" {
  command = plan
  variables { mail_to = { dev = [] } }
  expect_failures = [var.mail_from]
}

run "a_ceiling_below_the_maximum_concurrency" {
  command = plan
  variables { thumbnailer_ceiling = { dev = 49 } }
  expect_failures = [var.thumbnailer_ceiling]
}

run "a_ceiling_above_lambda_s_limit" {
  command = plan
  variables { thumbnailer_ceiling = { dev = 1001 } }
  expect_failures = [var.thumbnailer_ceiling]
}

run "an_environment_name_too_long_for_buckets" {
  command = plan
  variables { log_level = { integration-tests = "INFO" } }
  expect_failures = [output.names, output.settings]
}

run "two_addresses_in_one_string" {
  command = plan
  variables { alarm_emails = { dev = ["ops@example.com, oncall@example.com"] } }
  expect_failures = [var.alarm_emails]
}

run "a_sender_with_a_display_name" {
  command = plan
  variables { mail_from = { dev = "Eventloom <eventloom@example.com>" } }
  expect_failures = [var.mail_from]
}

run "an_origin_with_a_slash" {
  command = plan
  variables { allowed_origins = { dev = ["https://photos.example.com/"] } }
  expect_failures = [var.allowed_origins]
}

run "no_quota" {
  command = plan
  variables { quota_per_day = { dev = null } }

  assert {
    condition     = output.settings.dev.quota_per_day == null
    error_message = "null must be no quota."
  }
}

run "a_quota_of_nothing" {
  command = plan
  variables { quota_per_day = { dev = 0 } }
  expect_failures = [var.quota_per_day]
}

run "unknown_setting" {
  command = plan
  variables { setting_names = ["vpc", "traicing"] }
  expect_failures = [var.setting_names]
}

run "boundary_that_is_not_a_policy" {
  command = plan
  variables { permissions_boundary = { dev = "boundary" } }
  expect_failures = [var.permissions_boundary]
}

run "no_boundary" {
  command = plan
  variables { permissions_boundary = { dev = null } }

  assert {
    condition     = output.settings.dev.permissions_boundary == null && output.settings.dev.tags.CostCenter == "photos"
    error_message = "A boundary is optional."
  }
}

run "role_path_without_slashes" {
  command = plan
  variables { role_path = { dev = "automation" } }
  expect_failures = [var.role_path]
}

run "tag_that_only_aws_may_set" {
  command = plan
  variables { tags = { dev = { "aws:owner" = "me" } } }
  expect_failures = [var.tags]
}
