"""Try settings that LocalStack accepts, and compare the result with the table of settings without effect."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import ACCOUNT, REGION, Cloud, eventually, package, status

PAGE = Path(__file__).parents[2] / "docs" / "accepted-without-effect.md"
WAIT = 2.5
"""The seconds in which an effect must be seen. The settings that work need less than one."""
PREFIX = "no-effect"
ANYBODY = {"Principal": "*"}


def s3_lifecycle_expiration(cloud: Cloud) -> bool:
    bucket = f"{PREFIX}-lifecycle"
    cloud.s3.create_bucket(Bucket=bucket)
    rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Date": "2020-01-01T00:00:00Z"}}
    cloud.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    cloud.s3.put_object(Bucket=bucket, Key="k")
    return eventually(lambda: not cloud.s3.list_objects_v2(Bucket=bucket)["KeyCount"], WAIT)


def s3_replication(cloud: Cloud) -> bool:
    origin, copy = f"{PREFIX}-origin", f"{PREFIX}-copy"
    for bucket in (origin, copy):
        cloud.s3.create_bucket(Bucket=bucket)
        cloud.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    role = cloud.role(f"{PREFIX}-replication", "s3:*", principal="s3.amazonaws.com")
    rule = {
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{copy}"},
    }
    cloud.s3.put_bucket_replication(Bucket=origin, ReplicationConfiguration={"Role": role, "Rules": [rule]})
    cloud.s3.put_object(Bucket=origin, Key="k")
    return eventually(lambda: bool(cloud.s3.list_objects_v2(Bucket=copy)["KeyCount"]), WAIT)


def s3_access_logs(cloud: Cloud) -> bool:
    bucket = f"{PREFIX}-access-logs"
    cloud.s3.create_bucket(Bucket=bucket)
    target = {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "log/"}}
    cloud.s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=target)
    cloud.s3.put_object(Bucket=bucket, Key="k")
    return eventually(lambda: bool(cloud.s3.list_objects_v2(Bucket=bucket, Prefix="log/")["KeyCount"]), WAIT)


def s3_archived_objects(cloud: Cloud) -> bool:
    bucket = f"{PREFIX}-archived"
    cloud.s3.create_bucket(Bucket=bucket)
    cloud.s3.put_object(Bucket=bucket, Key="k", StorageClass="GLACIER")
    return refused("InvalidObjectState", lambda: cloud.s3.get_object(Bucket=bucket, Key="k"))


def s3_disabled_kms_key(cloud: Cloud) -> bool:
    bucket, key = f"{PREFIX}-disabled-key", cloud.kms.create_key()["KeyMetadata"]["KeyId"]
    cloud.s3.create_bucket(Bucket=bucket)
    cloud.s3.put_object(Bucket=bucket, Key="k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    cloud.kms.disable_key(KeyId=key)
    return refused("KMS.DisabledException", lambda: cloud.s3.get_object(Bucket=bucket, Key="k"))


def kms_disabled_key(cloud: Cloud) -> bool:
    key = cloud.kms.create_key()["KeyMetadata"]["KeyId"]
    cloud.kms.disable_key(KeyId=key)
    return refused("DisabledException", lambda: cloud.kms.encrypt(KeyId=key, Plaintext=b"x"))


def subscribed(cloud: Cloud, name: str, topic: dict[str, str], **attributes: str) -> tuple[str, str]:
    """Return the ARN of a new topic and the URL of a queue that is subscribed to it."""
    arn = cloud.sns.create_topic(Name=f"{PREFIX}-{name}", Attributes=topic)["TopicArn"]
    url, queue = cloud.queue(f"{PREFIX}-{name}", ANYBODY)
    attributes["RawMessageDelivery"] = "true"
    cloud.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes=attributes)
    return arn, url


def sns_filter_policy_of_the_body(cloud: Cloud) -> bool:
    policy = {"FilterPolicyScope": "MessageBody", "FilterPolicy": json.dumps({"kind": ["a"]})}
    topic, url = subscribed(cloud, "body", {}, **policy)
    for kind in "ba":
        cloud.sns.publish(TopicArn=topic, Message=json.dumps({"kind": kind}))
    return cloud.received(url, WAIT) == [{"kind": "a"}]


def sns_dead_letter_queue(cloud: Cloud) -> bool:
    url, queue = cloud.queue(f"{PREFIX}-sns-dead", ANYBODY)
    topic, gone = subscribed(cloud, "gone", {}, RedrivePolicy=json.dumps({"deadLetterTargetArn": queue}))
    cloud.sqs.delete_queue(QueueUrl=gone)
    cloud.sns.publish(TopicArn=topic, Message="{}")
    return bool(cloud.received(url, WAIT))


def sns_delivery_status_logs(cloud: Cloud) -> bool:
    role = cloud.role(f"{PREFIX}-delivery", "logs:*", principal="sns.amazonaws.com")
    settings = {"SQSSuccessFeedbackRoleArn": role, "SQSSuccessFeedbackSampleRate": "100"}
    topic, url = subscribed(cloud, "delivery", settings)
    cloud.sns.publish(TopicArn=topic, Message="{}")
    group = f"sns/{REGION}/{ACCOUNT}/{PREFIX}-delivery"
    assert cloud.received(url) == [{}]
    return eventually(lambda: bool(cloud.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]), WAIT)


def sqs_redrive_allow_policy(cloud: Cloud) -> bool:
    _, dead = cloud.queue(f"{PREFIX}-denies", RedriveAllowPolicy=json.dumps({"redrivePermission": "denyAll"}))
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": "1"})
    return refused("InvalidParameterValue", lambda: cloud.queue(f"{PREFIX}-denied", RedrivePolicy=redrive))


def lambda_log_group(cloud: Cloud) -> bool:
    name, group = f"{PREFIX}-log-group", f"/{PREFIX}/custom"
    code = {"ZipFile": package("def handler(event, context): print('line')")}
    cloud.function(name, Code=code, LoggingConfig={"LogFormat": "Text", "LogGroup": group})
    cloud.lambda_.invoke(FunctionName=name)

    def groups() -> set[str]:
        prefixes = (group, f"/aws/lambda/{name}")
        answers = [cloud.logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"] for prefix in prefixes]
        return {item["logGroupName"] for answer in answers for item in answer}

    return group in eventually(groups)


def lambda_snapstart(cloud: Cloud) -> bool:
    name = f"{PREFIX}-snapstart"
    code = "import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']"
    cloud.function(name, Code={"ZipFile": package(code)}, SnapStart={"ApplyOn": "PublishedVersions"})
    version = cloud.lambda_.publish_version(FunctionName=name)["Version"]
    cloud.lambda_.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version)
    return json.load(cloud.lambda_.invoke(FunctionName=name, Qualifier=version)["Payload"]) == "snap-start"


def lambda_code_signing(cloud: Cloud) -> bool:
    profile = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/x/abcdefghij"
    config = cloud.lambda_.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [profile]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
    )["CodeSigningConfig"]["CodeSigningConfigArn"]
    return refused(
        "CodeVerificationFailedException", lambda: cloud.function(f"{PREFIX}-unsigned", CodeSigningConfigArn=config)
    )


def lambda_reserved_concurrency(cloud: Cloud) -> bool:
    name = f"{PREFIX}-reserved"
    cloud.function(name)
    cloud.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    return refused("TooManyRequestsException", lambda: cloud.lambda_.invoke(FunctionName=name))


def lambda_dead_letter_queue(cloud: Cloud) -> bool:
    """Let the function fail without a message, because LocalStack then loses the event."""
    name, (url, queue) = f"{PREFIX}-dead-letters", cloud.queue(f"{PREFIX}-dead-letters")
    code = {"ZipFile": package("def handler(event, context): raise ValueError")}
    cloud.function(name, "sqs:SendMessage", Code=code, DeadLetterConfig={"TargetArn": queue})
    cloud.lambda_.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    cloud.lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"kind": "a"}')
    return cloud.received(url, WAIT * 2) == [{"kind": "a"}]


def bus_with_target(cloud: Cloud, name: str, target: dict[str, Any]) -> None:
    """Send one event to a new bus whose rule has this target."""
    bus = f"{PREFIX}-{name}"
    cloud.events.create_event_bus(Name=bus)
    cloud.events.put_rule(Name=bus, EventBusName=bus, EventPattern='{"source": ["s"]}')
    cloud.events.put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "1", **target}])
    entry = {"Source": "s", "DetailType": "t", "Detail": '{"kind": "a"}', "EventBusName": bus}
    cloud.events.put_events(Entries=[entry])


def eventbridge_input_transformer(cloud: Cloud) -> bool:
    url, queue = cloud.queue(f"{PREFIX}-transformed", ANYBODY)
    transformer = {"InputPathsMap": {"kind": "$.detail.kind"}, "InputTemplate": '{"new": "<kind>"}'}
    bus_with_target(cloud, "transformer", {"Arn": queue, "InputTransformer": transformer})
    return cloud.received(url, WAIT) == [{"new": "a"}]


def eventbridge_dead_letter_queue(cloud: Cloud) -> bool:
    url, queue = cloud.queue(f"{PREFIX}-event-dead", ANYBODY)
    gone = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{PREFIX}-was-never-made"
    retries = {"MaximumRetryAttempts": 0}
    bus_with_target(cloud, "dead", {"Arn": gone, "DeadLetterConfig": {"Arn": queue}, "RetryPolicy": retries})
    return bool(cloud.received(url, WAIT))


def cloudwatch_composite_alarm(cloud: Cloud) -> bool:
    child, parent = f"{PREFIX}-child", f"{PREFIX}-parent"
    settings = {"EvaluationPeriods": 1, "Threshold": 1, "Period": 60, "Statistic": "Sum", "MetricName": "m"}
    comparison = "GreaterThanOrEqualToThreshold"
    cloud.cloudwatch.put_metric_alarm(AlarmName=child, Namespace="N", ComparisonOperator=comparison, **settings)
    cloud.cloudwatch.put_composite_alarm(AlarmName=parent, AlarmRule=f'ALARM("{child}")')
    cloud.cloudwatch.set_alarm_state(AlarmName=child, StateValue="ALARM", StateReason="test")

    def is_alarmed() -> bool:
        answer = cloud.cloudwatch.describe_alarms(AlarmNames=[parent], AlarmTypes=["CompositeAlarm"])
        return bool(answer["CompositeAlarms"][0]["StateValue"] == "ALARM")

    return eventually(is_alarmed, WAIT)


def cloudwatch_metrics_in_logs(cloud: Cloud) -> bool:
    group, now = f"/{PREFIX}/emf", int(time.time() * 1000)
    cloud.logs.create_log_group(logGroupName=group)
    cloud.logs.create_log_stream(logGroupName=group, logStreamName="s")
    metric = {"Namespace": f"{PREFIX}-emf", "Dimensions": [[]], "Metrics": [{"Name": "x"}]}
    line = json.dumps({"_aws": {"Timestamp": now, "CloudWatchMetrics": [metric]}, "x": 1})
    event = {"timestamp": now, "message": line}
    cloud.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])
    return eventually(lambda: bool(cloud.cloudwatch.list_metrics(Namespace=f"{PREFIX}-emf")["Metrics"]), WAIT)


def table(cloud: Cloud, name: str, **billing: Any) -> str:
    """Create a table with the key "k", and return its name."""
    key = [{"AttributeName": "k", "KeyType": "HASH"}], [{"AttributeName": "k", "AttributeType": "S"}]
    cloud.dynamodb.create_table(TableName=name, KeySchema=key[0], AttributeDefinitions=key[1], **billing)
    return name


def dynamodb_time_to_live(cloud: Cloud) -> bool:
    name = table(cloud, f"{PREFIX}-ttl", BillingMode="PAY_PER_REQUEST")
    setting = {"Enabled": True, "AttributeName": "expires"}
    cloud.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=setting)
    item = {"k": {"S": "a"}, "expires": {"N": str(int(time.time()) - 100)}}
    cloud.dynamodb.put_item(TableName=name, Item=item)
    return eventually(lambda: "Item" not in cloud.dynamodb.get_item(TableName=name, Key={"k": {"S": "a"}}), WAIT)


def dynamodb_capacity(cloud: Cloud) -> bool:
    units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    name = table(cloud, f"{PREFIX}-capacity", ProvisionedThroughput=units)
    item = {"k": {"S": "a"}, "v": {"S": "x" * 390_000}}  # 381 units; a burst of 5 minutes has 300

    def write() -> None:
        for _ in range(2):
            cloud.dynamodb.put_item(TableName=name, Item=item)

    return refused("ProvisionedThroughputExceededException", write)


def rest_api(cloud: Cloud, name: str) -> tuple[str, str]:
    """Return the id and the URL of a REST API whose GET needs an API key."""
    api = cloud.apigateway.create_rest_api(name=f"{PREFIX}-{name}")["id"]
    root = cloud.apigateway.get_resources(restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    cloud.apigateway.put_method(**where, authorizationType="NONE", apiKeyRequired=True)
    template = {"application/json": '{"statusCode": 200}'}
    cloud.apigateway.put_integration(**where, type="MOCK", requestTemplates=template)
    cloud.apigateway.put_method_response(**where, statusCode="200")
    cloud.apigateway.put_integration_response(**where, statusCode="200")
    cloud.apigateway.create_deployment(restApiId=api, stageName="s")
    return api, f"http://127.0.0.1:{cloud.home.port}/_aws/execute-api/{api}/s/"


def api_key(cloud: Cloud, api: str, name: str, **limits: Any) -> str:
    """Return an API key with a usage plan for the stage."""
    stages = [{"apiId": api, "stage": "s"}]
    plan = cloud.apigateway.create_usage_plan(name=f"{PREFIX}-{name}", apiStages=stages, **limits)["id"]
    key = cloud.apigateway.create_api_key(name=f"{PREFIX}-{name}", enabled=True)
    cloud.apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return str(key["value"])


def rest_apis_usage_plan(cloud: Cloud) -> bool:
    api, url = rest_api(cloud, "plan")
    key = api_key(cloud, api, "plan", quota={"limit": 1, "period": "DAY"}, throttle={"rateLimit": 1, "burstLimit": 1})
    answers = {status(url, **{"x-api-key": key}) for _ in range(4)}
    assert 200 in answers
    return 429 in answers


def rest_apis_access_logs(cloud: Cloud) -> bool:
    api, url = rest_api(cloud, "logged")
    group = f"/{PREFIX}/access"
    cloud.logs.create_log_group(logGroupName=group)
    settings = {"destinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}", "format": "$context.requestId"}
    patches = [{"op": "replace", "path": f"/accessLogSettings/{key}", "value": settings[key]} for key in settings]
    cloud.apigateway.update_stage(restApiId=api, stageName="s", patchOperations=patches)
    assert status(url, **{"x-api-key": api_key(cloud, api, "logged")}) == 200
    return eventually(lambda: bool(cloud.logs.describe_log_streams(logGroupName=group)["logStreams"]), WAIT)


def ses_receipt_rules(cloud: Cloud) -> bool:
    bucket, rules = f"{PREFIX}-mails", f"{PREFIX}-rules"
    cloud.s3.create_bucket(Bucket=bucket)
    cloud.ses.create_receipt_rule_set(RuleSetName=rules)
    action = {"S3Action": {"BucketName": bucket}}
    rule = {"Name": "x", "Enabled": True, "Recipients": ["a@b.example"], "Actions": [action]}
    cloud.ses.create_receipt_rule(RuleSetName=rules, Rule=rule)
    cloud.ses.set_active_receipt_rule_set(RuleSetName=rules)
    cloud.ses.verify_email_identity(EmailAddress="from@b.example")
    text = {"Data": "x"}
    message = {"Subject": text, "Body": {"Text": text}}
    cloud.ses.send_email(Source="from@b.example", Destination={"ToAddresses": ["a@b.example"]}, Message=message)
    return eventually(lambda: bool(cloud.s3.list_objects_v2(Bucket=bucket)["KeyCount"]), WAIT)


def refused(code: str, call: Callable[[], object]) -> bool:
    """Return whether the call fails with this error code. Raise any other error."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return True
    return False


PROBES: dict[str, Callable[[Cloud], bool]] = {
    "S3: lifecycle expiration": s3_lifecycle_expiration,
    "S3: replication": s3_replication,
    "S3: access logs": s3_access_logs,
    "S3: archived objects": s3_archived_objects,
    "S3: disabled KMS key": s3_disabled_kms_key,
    "KMS: disabled key": kms_disabled_key,
    "SNS: filter policy of the body": sns_filter_policy_of_the_body,
    "SNS: dead-letter queue": sns_dead_letter_queue,
    "SNS: delivery status logs": sns_delivery_status_logs,
    "SQS: redrive allow policy": sqs_redrive_allow_policy,
    "Lambda: log group": lambda_log_group,
    "Lambda: SnapStart": lambda_snapstart,
    "Lambda: code signing": lambda_code_signing,
    "Lambda: reserved concurrency": lambda_reserved_concurrency,
    "Lambda: dead-letter queue": lambda_dead_letter_queue,
    "EventBridge: input transformer": eventbridge_input_transformer,
    "EventBridge: dead-letter queue": eventbridge_dead_letter_queue,
    "CloudWatch: composite alarm": cloudwatch_composite_alarm,
    "CloudWatch: metrics in logs (EMF)": cloudwatch_metrics_in_logs,
    "DynamoDB: time to live": dynamodb_time_to_live,
    "DynamoDB: capacity": dynamodb_capacity,
    "REST APIs: usage plan": rest_apis_usage_plan,
    "REST APIs: access logs": rest_apis_access_logs,
    "SES: receipt rules": ses_receipt_rules,
}


@pytest.fixture(scope="module")
def effects(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """Yield the running probes, which wait at the same time."""
    with ThreadPoolExecutor(len(PROBES)) as pool:
        yield {setting: pool.submit(probe, cloud) for setting, probe in PROBES.items()}


def settings_in_the_table() -> set[str]:
    rows = [line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return set(rows[1:])


@pytest.mark.parametrize("setting", PROBES)
def test_the_table_has_the_settings_without_effect(setting: str, effects: dict[str, Any]):
    has_effect = effects[setting].result()
    assert has_effect == (setting not in settings_in_the_table()), f"{setting}: correct the table in {PAGE.name}"


def test_each_row_is_tried():
    assert settings_in_the_table() <= PROBES.keys()
