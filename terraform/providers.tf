provider "aws" {
  allowed_account_ids = contains(local.environments, terraform.workspace) ? local.environment.allowed_account_ids : []
  s3_use_path_style   = var.s3_use_path_style

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {
  lifecycle {
    precondition {
      condition     = contains(local.environments, terraform.workspace)
      error_message = <<-EOT
        The workspace "${terraform.workspace}" is not an environment.
        Select one of ${join(", ", local.environments)}: terraform workspace select -or-create NAME
      EOT
    }
  }
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_service.sqs.region
  tags = merge(local.environment.tags, {
    Project     = "eventloom"
    Environment = terraform.workspace
    ManagedBy   = "terraform"
  })
}

data "aws_partition" "current" {}

# The region of the provider. The attribute of aws_region for it is named `name` in version 5 and `region` in version 6.
data "aws_service" "sqs" {
  service_id = "sqs"
}
