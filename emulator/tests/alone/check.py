"""Use the deployed project as its owner would.

`check.py OWNER` fails unless every part works and is tagged with the owner.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

import boto3


def check_copies() -> None:
    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    text = uuid.uuid4().hex
    url = sqs.get_queue_url(QueueName="somebodys-orders")["QueueUrl"]
    key = sqs.send_message(QueueUrl=url, MessageBody=text)["MessageId"]
    deadline = time.monotonic() + 60
    while key not in {item["Key"] for item in s3.list_objects_v2(Bucket="somebodys-copies").get("Contents", [])}:
        assert time.monotonic() < deadline, "the function has not copied the message"
        time.sleep(0.2)
    assert s3.get_object(Bucket="somebodys-copies", Key=key)["Body"].read().decode() == text


def check_refusal() -> None:
    answer = boto3.client("lambda").invoke(FunctionName="somebodys-copier", Payload=b"{}")
    error = json.loads(answer["Payload"].read())
    assert "AccessDenied" in error["errorMessage"], error
    assert "s3:ListBucket" in error["errorMessage"], error


def ask(api, path):
    """Return the status and the body of the API's answer. This machine may be unable to resolve the endpoint's name."""
    host = api["ApiEndpoint"].partition("://")[2]
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + path, headers={"Host": host})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def check_api(owner: str) -> None:
    (api,) = boto3.client("apigatewayv2").get_apis()["Items"]
    assert api["Tags"] == {"Owner": owner}, api
    for stage in ("", "/v1"):
        assert ask(api, f"{stage}/orders/7") == (200, {"order": "7"})
    assert ask(api, "/members") == (401, {"message": "Unauthorized"})
    assert ask(api, "/nowhere") == (404, {"message": "Not Found"})


def check_tags(owner: str) -> None:
    arn = boto3.client("cloudwatch").describe_alarms(AlarmNames=["somebodys-errors"])["MetricAlarms"][0]["AlarmArn"]
    tags = boto3.client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "Owner", "Value": owner}], tags


check_copies()
check_refusal()
check_tags(sys.argv[1])
check_api(sys.argv[1])
