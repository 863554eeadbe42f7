"""Set the environment variables that the functions need to be imported."""

import os

for name, value in {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "POWERTOOLS_METRICS_NAMESPACE": "Eventloom/test",
    "POWERTOOLS_SERVICE_NAME": "test",
    "ACTIVITY_TABLE": "activity",
    "ANALYTICS_BUCKET": "analytics",
    "CATALOG_TABLE": "catalog",
    "REPORT_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:reports",
    "RULES": "{}",
    "STATE_TABLE": "state",
    "THUMBNAILS_BUCKET": "thumbnails",
    "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:notices",
}.items():
    os.environ.setdefault(name, value)
