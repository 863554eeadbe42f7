# scripts/check_terraform.py runs this once per environment, which TF_WORKSPACE selects.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  # The tests must not depend on a build, so they use placeholders as packages.
  packages = "tests/packages"

  # Otherwise prod warns that nobody is notified, which tests/prod covers.
  alarm_emails = ["ops@example.com"]
}

run "applies" {
  assert {
    condition     = output.prefix == "eventloom-${terraform.workspace}" && output.environment == terraform.workspace
    error_message = "Names must contain the workspace."
  }

  assert {
    condition     = aws_dynamodb_table.catalog.deletion_protection_enabled == (terraform.workspace == "prod")
    error_message = "Only prod's data must survive a destroy."
  }

  assert {
    condition     = contains(["local", "staging", "prod"], terraform.workspace) == aws_dynamodb_table.catalog.point_in_time_recovery[0].enabled
    error_message = "Point-in-time recovery must be on in local, staging and prod."
  }

  assert {
    condition     = aws_kinesis_stream.activity.retention_period == (terraform.workspace == "prod" ? 48 : 24)
    error_message = "A provisioned stream must keep one day: a second costs more than the shard itself."
  }

  assert {
    condition     = output.metrics_namespace == "Eventloom/${terraform.workspace}"
    error_message = "Dashboards and reports of an environment must stay where its metrics have been."
  }

  # Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this.dashboard_body, jsonencode("SEARCH('{\"Eventloom/${terraform.workspace}\",reason,service} MetricName=\"ImagesRejected\"', 'Sum')"))
    error_message = "A namespace with other characters than letters and digits must be in quotes."
  }

  assert {
    condition     = length(aws_vpc.this) == 0 && length(aws_lb.catalog) == 0 && length(aws_cognito_user_pool.users) == 0 && length(aws_sfn_state_machine.backfill) == 0 && length(aws_iam_role.backfill) == 0
    error_message = "Resources that are switched off must not exist."
  }
}

run "load_balancer_for_an_emulator" {
  command = plan

  variables {
    alb = true
  }

  assert {
    condition     = length(aws_lb.catalog) == 1 && length(aws_vpc.this) == 1 && aws_lb_listener.catalog[0].protocol == "HTTP"
    error_message = "The variable alb must create the load balancer and its network in every environment."
  }
}
