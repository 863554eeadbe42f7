terraform {
  required_version = ">= 1.10" # the first with S3 state locking without a DynamoDB table

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}
