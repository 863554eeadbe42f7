"""Hide the AWS endpoint and profile of the shell from unit tests, so that moto answers their requests."""

import os

for _name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL") or name == "AWS_PROFILE"]:
    del os.environ[_name]
