"""The schema of AWS provider 6, so that `make test-terraform` covers both versions that the modules accept.

The lock files pin provider 5. An npm package has bindings that are generated from the schema of provider 6.66.0, and
`terraform validate` and `terraform test` with mocks need no more of a provider than its schema. So the package is
downloaded (package.py), the schema is made from it (bindings.py, schema.py) and served to Terraform (server.py).

This shows arguments, blocks and attributes that provider 6 has removed or requires. It doesn't show what the provider's
own code checks, or its deprecated arguments: where the registry can be reached, CI also runs the newest real provider
(`python -m scripts.check_terraform --provider newest`).
"""
