# The state lives in the cloud that it describes: `terraform init` names bucket, key and region (-backend-config), and
# AWS_ENDPOINT_URL alone decides which cloud that is.
terraform {
  backend "s3" {
    use_lockfile = true
  }
}
