# scripts/check_terraform.py runs this in the workspace `default`, which is not an environment.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  packages = "tests/packages"
}

run "default_workspace_is_rejected" {
  command         = plan
  expect_failures = [data.aws_caller_identity.current]
}
