# Run in the workspace `default`, which is no environment

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  packages = "tests/packages"
}

run "default_is_refused" {
  command         = plan
  expect_failures = [data.aws_caller_identity.current]
}
