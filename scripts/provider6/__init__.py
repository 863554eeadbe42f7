"""The schema of AWS provider 6, so that `make test-terraform` covers both versions that the modules accept.

The lock files pin provider 5. An npm package has bindings that are generated from the schema of provider 6.66.0.
`terraform validate`, and `terraform test` with mocks, only need a provider's schema. package.py downloads the package,
bindings.py and schema.py make the schema from it, and server.py serves the schema to Terraform.

The tests find arguments, blocks and attributes that provider 6 has removed or requires. They don't find what the
provider's code checks, or deprecated arguments. Where CI reaches the registry, it also runs the newest real provider
(`python -m scripts.check_terraform --provider newest`).
"""
