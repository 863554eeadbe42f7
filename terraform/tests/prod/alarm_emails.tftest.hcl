# scripts/check_terraform.py runs this in the workspace `prod`, whose alarm_emails are empty until you set them.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  packages = "tests/packages"
}

run "an_environment_whose_alarms_reach_nobody_warns" {
  command         = plan
  expect_failures = [check.somebody_is_notified]
}

run "addresses_from_outside_of_git_are_subscribed" {
  command = plan
  variables { alarm_emails = ["ops@example.com"] }

  assert {
    condition     = toset(keys(aws_sns_topic_subscription.alarm_emails)) == toset(["ops@example.com"])
    error_message = "The variable must replace the environment's setting."
  }
}
