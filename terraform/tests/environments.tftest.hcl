# Every environment of the table plans; run once per workspace (TF_WORKSPACE).

mock_provider "aws" {
  source = "./tests/mocks"
}

run "plans" {
  command = plan

  assert {
    condition     = output.prefix == "eventloom-${terraform.workspace}"
    error_message = "Names must carry the workspace."
  }
}
