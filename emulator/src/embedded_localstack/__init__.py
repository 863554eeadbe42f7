"""Run LocalStack on the host, without Docker and with IAM enforced. See README.md."""
