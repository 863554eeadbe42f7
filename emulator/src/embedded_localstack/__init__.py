"""LocalStack on the host, without Docker, with IAM enforced. See README.md."""
