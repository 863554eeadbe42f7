"""Keeps every event it gets in a table, by request; fails on those that say so."""

import json
import os
import time

import boto3

TABLE = os.environ["EVENTS_TABLE"]
dynamodb = boto3.client("dynamodb")


def lambda_handler(event, context):
    """Note the event, then fail if it holds the word FAIL."""
    text = json.dumps(event, default=str)
    item = {"pk": {"S": f"{time.time_ns()}"}, "event": {"S": text}, "request_id": {"S": context.aws_request_id}}
    dynamodb.put_item(TableName=TABLE, Item=item)
    if "FAIL" in text:
        raise RuntimeError("told to fail")
    answer = {"seen": context.aws_request_id, "version": context.function_version}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}
