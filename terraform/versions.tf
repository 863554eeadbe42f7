terraform {
  required_version = ">= 1.10" # first with S3 state locking that needs no table

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
