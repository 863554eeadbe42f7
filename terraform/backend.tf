# The state is in the same cloud as the resources, which AWS_ENDPOINT_URL chooses. `terraform init` gets the bucket, key
# and region with -backend-config.
terraform {
  backend "s3" {
    use_lockfile = true
  }
}
