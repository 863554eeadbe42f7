# The workspace decides what the root plans: run once per environment, with TF_WORKSPACE

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  # Whatever was built or not: the package's content is no matter here
  packages = "tests/packages"
}

run "applies" {
  assert {
    condition     = output.prefix == "eventloom-${terraform.workspace}" && output.environment == terraform.workspace
    error_message = "Names must carry the workspace."
  }

  assert {
    condition     = aws_dynamodb_table.catalog.deletion_protection_enabled == (terraform.workspace == "prod")
    error_message = "Data of prod, and of prod alone, must survive a destroy."
  }

  assert {
    condition     = contains(["local", "staging", "prod"], terraform.workspace) == aws_dynamodb_table.catalog.point_in_time_recovery[0].enabled
    error_message = "Staging and prod must be recoverable."
  }

  assert {
    condition     = aws_kinesis_stream.activity.retention_period == (terraform.workspace == "prod" ? 48 : 24)
    error_message = "A provisioned shard must not be kept for a second day, which costs more than the shard itself."
  }

  assert {
    condition     = output.metrics_namespace == "Eventloom/${terraform.workspace}"
    error_message = "Dashboards and reports of an environment must stay where its metrics have been."
  }

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this.dashboard_body, jsonencode("SEARCH('{\"Eventloom/${terraform.workspace}\",reason,service} MetricName=\"ImagesRejected\"', 'Sum')"))
    error_message = "CloudWatch wants a namespace that is not letters and digits alone in quotes."
  }

  assert {
    condition     = length(aws_vpc.this) == 0 && length(aws_lb.catalog) == 0 && length(aws_cognito_user_pool.users) == 0 && length(aws_sfn_state_machine.backfill) == 0 && length(aws_iam_role.backfill) == 0
    error_message = "What is switched off must not be there."
  }
}

run "a_load_balancer_for_an_emulator" {
  command = plan

  variables {
    alb = true
  }

  assert {
    condition     = length(aws_lb.catalog) == 1 && length(aws_vpc.this) == 1 && aws_lb_listener.catalog[0].protocol == "HTTP"
    error_message = "The variable must switch the load balancer and its network on in any environment."
  }
}
