import os

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    """Copy each message to the bucket, or answer a request to the API.

    For any other event, try an action that the role may not do.
    """
    if "rawPath" in event:
        return {"order": event["pathParameters"]["id"]}
    for record in event.get("Records", []):
        s3.put_object(Bucket=os.environ["BUCKET"], Key=record["messageId"], Body=record["body"])
    if "Records" not in event:
        s3.list_objects_v2(Bucket=os.environ["BUCKET"])
    return None
