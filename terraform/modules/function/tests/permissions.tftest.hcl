# The module in schema/ checks permissions, so these runs use it directly.

variables {
  given_permissions = {}
  given_triggers    = {}
  permissions       = {}
  triggers          = {}
}

run "optional_attributes" {
  module { source = "./schema" }
  variables {
    given_permissions = { read = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::orders/*"] } }
    permissions       = { read = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::orders/*"] } }
  }

  assert {
    condition     = length(output.permissions.read.conditions) == 0
    error_message = "Optional attributes must get their defaults."
  }
}

run "misspelled_attribute" {
  command = plan
  module { source = "./schema" }
  variables {
    given_permissions = { read = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::orders/*"], condition = {} } }
    permissions       = { read = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::orders/*"], condition = {} } }
  }
  expect_failures = [output.permissions]
}

run "every_action" {
  command = plan
  module { source = "./schema" }
  variables {
    given_permissions = {}
    permissions       = { all = { actions = ["*"], resources = ["arn:aws:s3:::orders/*"] } }
  }
  expect_failures = [var.permissions]
}

run "every_action_of_a_service" {
  command = plan
  module { source = "./schema" }
  variables {
    given_permissions = {}
    permissions       = { all = { actions = ["s3:*"], resources = ["arn:aws:s3:::orders/*"] } }
  }
  expect_failures = [var.permissions]
}

run "wildcard_within_an_action" {
  command = plan
  module { source = "./schema" }
  variables {
    given_permissions = {}
    permissions       = { all = { actions = ["s3:Get*"], resources = ["arn:aws:s3:::orders/*"] } }
  }
  expect_failures = [var.permissions]
}

run "every_resource_without_reason" {
  command = plan
  module { source = "./schema" }
  variables {
    given_permissions = {}
    permissions       = { all = { actions = ["s3:GetObject"], resources = ["*"] } }
  }
  expect_failures = [var.permissions]
}

run "nothing_granted" {
  command = plan
  module { source = "./schema" }
  variables {
    given_permissions = {}
    permissions       = { none = { actions = ["s3:GetObject"], resources = [] } }
  }
  expect_failures = [var.permissions]
}
