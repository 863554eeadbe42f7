"""What Lambda sets for a function; some of it is read when modules are imported."""

import os

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "thumbnailer")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Eventloom/test")
