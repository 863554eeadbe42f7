# The state is in the same cloud as the resources. AWS_ENDPOINT_URL selects the cloud. `terraform init` gets the bucket,
# key and region with -backend-config.
terraform {
  backend "s3" {
    use_lockfile = true
  }
}
