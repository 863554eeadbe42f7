"""Unit tests see no endpoint and no profile of AWS that the shell exports: moto answers them."""

import os

for _name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL") or name == "AWS_PROFILE"]:
    del os.environ[_name]
