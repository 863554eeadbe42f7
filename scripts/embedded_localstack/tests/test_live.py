"""The running server: every way in which one thing calls another, with the permission missing, wrong and right."""

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_localstack.tests.conftest import ACCOUNT, LOGS, REGION, Cloud, eventually, from_service, package, policy


def invoke(cloud: Cloud, function: str, event: Any = None) -> dict[str, Any]:
    return dict(json.loads(cloud.lambda_.invoke(FunctionName=function, Payload=json.dumps(event))["Payload"].read()))


# -- a function's own calls


@pytest.mark.parametrize(
    ("actions", "resource", "allowed"),
    [
        (["s3:GetObject"], "*", False),
        (["s3:PutObject"], "arn:aws:s3:::elsewhere/*", False),
        (["s3:PutObject"], "arn:aws:s3:::out/*", True),
    ],
    ids=["missing", "wrong", "right"],
)
def test_function_to_s3(cloud: Cloud, name: str, actions: list[str], resource: str, allowed: bool):
    cloud.function(name, role=cloud.role(name, *actions, resource=resource))
    answer = invoke(cloud, name)
    if allowed:
        assert answer == {"statusCode": 200, "body": "hello"}
    else:
        assert "AccessDenied" in answer["errorMessage"]
        assert cloud.denied("s3:PutObject", f"out/{name}/", who=f"assumed-role/{name}/{name}")


def test_a_grant_counts_at_once(cloud: Cloud, name: str):
    role = cloud.role(name, *LOGS)
    cloud.function(name, role=role)
    assert "AccessDenied" in invoke(cloud, name)["errorMessage"]
    cloud.grant(name, "s3:PutObject", resource="arn:aws:s3:::out/*", name="more")
    assert invoke(cloud, name)["statusCode"] == 200


def test_logs_are_written_with_the_permission_for_the_group_alone(cloud: Cloud, name: str):
    group = f"/aws/lambda/{name}"
    cloud.logs.create_log_group(logGroupName=group)
    role = cloud.role(name, "s3:PutObject")
    own = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"
    cloud.grant(name, "logs:CreateLogStream", "logs:PutLogEvents", resource=own, name="logs")
    cloud.function(name, role=role)
    invoke(cloud, name, {"a": 1})

    def lines() -> list[str]:
        return [event["message"] for event in cloud.logs.filter_log_events(logGroupName=group)["events"]]

    assert eventually(lambda: any("REPORT" in line for line in lines()))
    assert 'event {"a": 1}\n' in lines()


def test_logs_are_not_written_without(cloud: Cloud, name: str):
    cloud.function(name, role=cloud.role(name, "s3:PutObject"))
    invoke(cloud, name)
    assert cloud.denied("logs:CreateLogStream", name)


def test_a_role_that_trusts_another_service(cloud: Cloud, name: str):
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        cloud.function(name, role=cloud.role(name, principal="ec2.amazonaws.com"))
    assert cloud.denied("sts:AssumeRole", f"role/{name}")


def test_a_runtime_that_is_not_there_is_told(cloud: Cloud, name: str):
    cloud.lambda_.create_function(
        FunctionName=name, Runtime="python3.9", Role=cloud.role(name), Handler="app.handler", Code={"ZipFile": package()}
    )

    def configuration() -> dict[str, Any]:
        return dict(cloud.lambda_.get_function(FunctionName=name)["Configuration"])

    assert eventually(lambda: configuration()["State"] == "Failed")
    assert "runs python3.13, not python3.9" in configuration()["StateReason"]


def test_what_a_role_may_not_list_is_forbidden_rather_than_missing(cloud: Cloud, name: str):
    code = """
import boto3
def handler(event, context):
    try:
        boto3.client("s3").head_object(Bucket="out", Key="nothing")
    except Exception as error:
        return error.response["Error"]["Code"]
"""
    role = cloud.role(name, *LOGS, "s3:GetObject")
    cloud.function(name, role=role, Code={"ZipFile": package(code)})
    assert cloud.lambda_.invoke(FunctionName=name)["Payload"].read() == b'"403"'
    cloud.grant(name, "s3:ListBucket", name="list")
    assert cloud.lambda_.invoke(FunctionName=name)["Payload"].read() == b'"404"'


def test_presigned_urls_have_their_signer_s_rights(cloud: Cloud, name: str):
    cloud.s3.put_object(Bucket="out", Key=f"{name}/x", Body=b"content")
    code = """
import boto3
def handler(event, context):
    return boto3.client("s3").generate_presigned_url("get_object", Params={"Bucket": "out", "Key": event})
"""
    cloud.function(name, role=cloud.role(name, *LOGS), Code={"ZipFile": package(code)})
    response = cloud.lambda_.invoke(FunctionName=name, Payload=json.dumps(f"{name}/x"))
    url = json.loads(response["Payload"].read())
    assert status(url) == 403
    cloud.grant(name, "s3:GetObject", resource=f"arn:aws:s3:::out/{name}/*", name="get")
    assert status(url) == 200
    assert status(url.partition("?")[0]) == 403, "without a signature"


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


# -- invocations


def test_reserved_concurrency_and_one_environment_per_invocation(cloud: Cloud, name: str):
    cloud.function(name)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: invoke(cloud, name, "sleep"), range(3)))
        assert cloud.overlap(name)
        cloud.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)

        def attempt(_: int) -> str:
            try:
                return str(invoke(cloud, name, "sleep")["statusCode"])
            except cloud.lambda_.exceptions.TooManyRequestsException:
                return "throttled"

        assert sorted(threads.map(attempt, range(3))) == ["200", "throttled", "throttled"]


@pytest.mark.parametrize(("kind", "most"), [("RequestResponse", 6 * 1024 * 1024), ("Event", 1024 * 1024)])
def test_events_that_are_too_large(cloud: Cloud, name: str, kind: str, most: int):
    with pytest.raises(ClientError, match=f"Request must be smaller than {most} bytes"):
        cloud.lambda_.invoke(FunctionName="any", InvocationType=kind, Payload=b'"' + b"x" * most + b'"')


# -- S3 events


def notify(cloud: Cloud, bucket: str, queue_arn: str) -> None:
    events = {"QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    cloud.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [events]})


@pytest.mark.parametrize("source", [None, "elsewhere"], ids=["missing", "wrong"])
def test_s3_to_sqs_is_refused(cloud: Cloud, name: str, source: str | None):
    cloud.s3.create_bucket(Bucket=name)
    _, arn = cloud.queue(name, from_service("s3", f"arn:aws:s3:::{source}") if source else None)
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        notify(cloud, name, arn)
    assert cloud.denied("sqs:SendMessage", arn, who="s3.amazonaws.com")


def test_s3_to_sqs_with_sequencers_that_grow(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    url, arn = cloud.queue(name, from_service("s3", f"arn:aws:s3:::{name}"))
    notify(cloud, name, arn)
    key = "a b+ü/c.jpg"
    versions = [cloud.s3.put_object(Bucket=name, Key=key, Body=str(number))["VersionId"] for number in range(2)]
    marker = cloud.s3.delete_object(Bucket=name, Key=key)["VersionId"]
    cloud.s3.delete_object(Bucket=name, Key=key, VersionId=versions[0])
    cloud.s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "never there"}]})
    records: list[dict[str, Any]] = []
    while len(records) < 5 and (found := cloud.received(url)):
        records += [record for body in found for record in body["Records"]]
    records.sort(key=lambda record: record["s3"]["object"]["sequencer"])
    assert [(record["eventName"], record["s3"]["object"].get("versionId")) for record in records[:4]] == [
        ("ObjectCreated:Put", versions[0]),
        ("ObjectCreated:Put", versions[1]),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("ObjectRemoved:Delete", versions[0]),
    ]
    assert len({record["s3"]["object"]["sequencer"] for record in records}) == 5
    assert {record["s3"]["object"]["key"] for record in records[:4]} == {"a+b%2B%C3%BC/c.jpg"}


def test_s3_to_eventbridge_to_sqs(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}}}
    rule = cloud.events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    url, arn = cloud.queue(name, from_service("events", rule))
    cloud.events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    cloud.s3.put_object(Bucket=name, Key="a b", Body=b"")
    cloud.s3.delete_object(Bucket=name, Key="a b")
    found: list[dict[str, Any]] = []
    while len(found) < 2 and (more := cloud.received(url)):
        found += more
    found.sort(key=lambda event: event["detail"]["object"]["sequencer"])
    assert [event["detail-type"] for event in found] == ["Object Created", "Object Deleted"]
    assert found[0]["detail"]["object"]["key"] == "a b"


# -- pollers

POLL = {
    "sqs": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "dynamodb": ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"],
    "kinesis": ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"],
}


def source(cloud: Cloud, kind: str, name: str) -> str:
    """The ARN of a new queue, table stream or stream, with one record that will be in it."""
    if kind == "sqs":
        url, arn = cloud.queue(name)
        cloud.sqs.send_message(QueueUrl=url, MessageBody="{}")
        return arn
    if kind == "dynamodb":
        table = cloud.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        cloud.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        cloud.dynamodb.put_item(TableName=name, Item={"id": {"S": "1"}})
        return str(table["LatestStreamArn"])
    cloud.kinesis.create_stream(StreamName=name, ShardCount=1)
    cloud.kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b"{}")
    return str(cloud.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"])


@pytest.mark.parametrize("kind", list(POLL))
def test_pollers(cloud: Cloud, name: str, kind: str):
    arn = source(cloud, kind, name)
    start = {} if kind == "sqs" else {"StartingPosition": "TRIM_HORIZON"}
    function = cloud.function(name)
    with pytest.raises(ClientError, match=r"does not have permissions|Cannot access stream") as refused:
        cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **start)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    cloud.grant(f"role-{name}", *POLL[kind], resource="arn:aws:sqs:us-east-1:000000000000:elsewhere", name="poll")
    with pytest.raises(ClientError):
        cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **start)
    # For streams the resource covers the stream; ListStreams has none.
    cloud.grant(f"role-{name}", *POLL[kind], resource=[arn], name="poll")
    mapping = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **start)["UUID"]
    assert eventually(lambda: cloud.outputs(name), 30)
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)


def test_batches_of_a_queue_run_at_the_same_time(cloud: Cloud, name: str):
    url, arn = cloud.queue(name, VisibilityTimeout="60")
    function = cloud.function(name, *POLL["sqs"])
    mapping = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, BatchSize=1)["UUID"]
    for _ in range(6):
        cloud.sqs.send_message(QueueUrl=url, MessageBody="sleep")
    assert eventually(lambda: len(cloud.outputs(name)) == 6, 60)
    assert cloud.overlap(name)
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)
    assert eventually(lambda: not cloud.lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"], 10)


def test_a_mapping_is_changed_and_switched(cloud: Cloud, name: str):
    url, arn = cloud.queue(name)
    function = cloud.function(name, *POLL["sqs"])
    uuid = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, Enabled=False)["UUID"]

    def becomes(state: str) -> bool:
        """And stays so: the worker before it has two seconds to end."""
        reached = eventually(lambda: cloud.lambda_.get_event_source_mapping(UUID=uuid)["State"] == state)
        time.sleep(2.5)
        return reached and bool(cloud.lambda_.get_event_source_mapping(UUID=uuid)["State"] == state)

    cloud.sqs.send_message(QueueUrl=url, MessageBody="{}")
    cloud.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.lambda_.update_event_source_mapping(UUID=uuid, BatchSize=5)
    assert becomes("Enabled")
    assert eventually(lambda: cloud.outputs(name))
    cloud.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    assert becomes("Disabled")
    cloud.lambda_.delete_event_source_mapping(UUID=uuid)


def test_what_a_stream_gives_up_on_is_sent_with_the_role(cloud: Cloud, name: str):
    arn = source(cloud, "kinesis", name)
    url, target = cloud.queue(f"{name}-dead")
    function = cloud.function(name, *POLL["kinesis"])
    cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b"fail")
    code = package("def handler(event, context):\n    raise ValueError('no')\n")
    cloud.lambda_.update_function_code(FunctionName=name, ZipFile=code)
    cloud.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    settings = {"MaximumRetryAttempts": 0, "DestinationConfig": {"OnFailure": {"Destination": target}}, "BatchSize": 1}

    def connect() -> str:
        return str(
            cloud.lambda_.create_event_source_mapping(
                EventSourceArn=arn, FunctionName=function, StartingPosition="TRIM_HORIZON", **settings
            )["UUID"]
        )

    with pytest.raises(ClientError, match="does not have permissions to call SendMessage"):
        connect()
    cloud.grant(f"role-{name}", "sqs:SendMessage", resource=target, name="dead")
    mapping = connect()
    assert cloud.received(url, 20)
    cloud.iam.delete_role_policy(RoleName=f"role-{name}", PolicyName="dead")
    cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b"fail too")
    assert cloud.denied("sqs:SendMessage", target, who=f"role-{name}")
    cloud.grant(f"role-{name}", "sqs:SendMessage", resource=target, name="dead")
    cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b"again")
    assert cloud.received(url, 20)
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)


# -- services that call functions, queues and topics


def test_s3_to_lambda(cloud: Cloud, name: str):
    function = cloud.function(name)
    cloud.s3.create_bucket(Bucket=name)

    def connect() -> None:
        events = {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}
        cloud.s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"LambdaFunctionConfigurations": [events]})

    with pytest.raises(ClientError, match="Unable to validate"):
        connect()
    permit(cloud, name, "s3", "arn:aws:s3:::elsewhere", "wrong")
    with pytest.raises(ClientError, match="Unable to validate"):
        connect()
    permit(cloud, name, "s3", f"arn:aws:s3:::{name}", "right")
    connect()
    cloud.s3.put_object(Bucket=name, Key="k", Body=b"")
    assert eventually(lambda: len(cloud.outputs(name)) == 1)


def permit(cloud: Cloud, function: str, service: str, source_arn: str, statement: str = "s") -> None:
    cloud.lambda_.add_permission(
        FunctionName=function,
        StatementId=statement,
        Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com",
        SourceArn=source_arn,
        SourceAccount=ACCOUNT,
    )


def test_eventbridge_to_lambda(cloud: Cloud, name: str):
    function = cloud.function(name)
    rule = cloud.events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))["RuleArn"]
    cloud.events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": function}])
    event = {"Source": name, "DetailType": "d", "Detail": "{}"}
    cloud.events.put_events(Entries=[event])
    assert cloud.denied("lambda:InvokeFunction", function, who="events.amazonaws.com")
    permit(cloud, name, "events", f"{rule}x", "wrong")
    before = cloud.home.denials.read_text().count(function)
    cloud.events.put_events(Entries=[event])
    assert eventually(lambda: cloud.home.denials.read_text().count(function) > before)
    assert not cloud.outputs(name)
    permit(cloud, name, "events", rule, "right")
    cloud.events.put_events(Entries=[event])
    assert eventually(lambda: len(cloud.outputs(name)) == 1)


def test_sns_to_sqs(cloud: Cloud, name: str):
    topic = cloud.sns.create_topic(Name=name)["TopicArn"]
    url, arn = cloud.queue(name)
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloud.sns.publish(TopicArn=topic, Message="lost")
    assert cloud.denied("sqs:SendMessage", arn, who="sns.amazonaws.com")
    right = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn, **from_service("sns", topic)}
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(right)})
    cloud.sns.publish(TopicArn=topic, Message="found")
    assert [body["Message"] for body in cloud.received(url)] == ["found"]


def test_sns_to_lambda(cloud: Cloud, name: str):
    topic = cloud.sns.create_topic(Name=name)["TopicArn"]
    function = cloud.function(name)
    cloud.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    cloud.sns.publish(TopicArn=topic, Message="lost")
    assert cloud.denied("lambda:InvokeFunction", function, who="sns.amazonaws.com")
    permit(cloud, name, "sns", topic)
    cloud.sns.publish(TopicArn=topic, Message="found")
    assert eventually(lambda: len(cloud.outputs(name)) == 1)


def test_api_gateway_to_lambda(cloud: Cloud, name: str):
    function = cloud.function(name)
    api = cloud.apigateway.create_rest_api(name=name)["id"]
    root = cloud.apigateway.get_resources(restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": cloud.apigateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]}
    cloud.apigateway.put_method(**where, httpMethod="ANY", authorizationType="NONE")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    cloud.apigateway.put_integration(**where, httpMethod="ANY", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    cloud.apigateway.create_deployment(restApiId=api, stageName="v1")
    url = f"http://127.0.0.1:{cloud.home.port}/_aws/execute-api/{api}/v1/hello"
    assert status(url) == 500
    assert cloud.denied("lambda:InvokeFunction", function, who="apigateway.amazonaws.com")
    permit(cloud, name, "apigateway", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*")
    assert status(url) == 200


def test_function_urls(cloud: Cloud, name: str):
    cloud.function(name)
    url = cloud.lambda_.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    host = url.split("/")[2]
    here = f"http://127.0.0.1:{cloud.home.port}/"
    assert status(here, Host=host) == 403
    cloud.lambda_.add_permission(
        FunctionName=name, StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE"
    )
    assert status(here, Host=host) == 200


def test_asynchronous_destinations(cloud: Cloud, name: str):
    url, arn = cloud.queue(name)
    cloud.function(name)
    failures = {"MaximumRetryAttempts": 0, "DestinationConfig": {"OnFailure": {"Destination": arn}}}
    with pytest.raises(ClientError, match="does not have permissions to call SendMessage"):
        cloud.lambda_.put_function_event_invoke_config(FunctionName=name, **failures)
    cloud.grant(f"role-{name}", "sqs:SendMessage", resource=arn, name="destination")
    cloud.lambda_.put_function_event_invoke_config(FunctionName=name, **failures)
    cloud.lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'"fail"')
    assert cloud.received(url, 20)[0]["requestContext"]["condition"] == "RetriesExhausted"


def test_alarm_to_the_alias_of_a_function(cloud: Cloud, name: str):
    function = cloud.function(name)
    version = cloud.lambda_.publish_version(FunctionName=name)["Version"]
    alias = cloud.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)["AliasArn"]
    alarm(cloud, name, alias)
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"
    cloud.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert cloud.denied("lambda:InvokeFunction", f"{function}:live", who="lambda.alarms.cloudwatch.amazonaws.com")
    cloud.cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")
    permit(cloud, alias, "lambda.alarms.cloudwatch", arn)
    cloud.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert eventually(lambda: len(cloud.outputs(name)) == 1)


def test_alarm_to_a_topic(cloud: Cloud, name: str):
    topic = cloud.sns.create_topic(Name=name)["TopicArn"]
    url, arn = cloud.queue(name, from_service("sns", topic))
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarm(cloud, name, topic)
    cloud.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by the topic's default policy")
    assert cloud.received(url)
    cloud.cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")
    other = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic, **from_service("events", "*")}
    cloud.sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(other))
    cloud.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert cloud.denied("sns:Publish", topic, who="cloudwatch.amazonaws.com")


def alarm(cloud: Cloud, name: str, action: str) -> None:
    cloud.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="test",
        MetricName=name,
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[action],
    )


# -- backends


def test_conditional_writes_are_won_once(cloud: Cloud, name: str):
    source(cloud, "dynamodb", name)
    cloud.dynamodb.put_item(TableName=name, Item={"id": {"S": "counter"}, "n": {"N": "0"}})

    def increment(_: int) -> int:
        won = 0
        for _ in range(5):
            now = cloud.dynamodb.get_item(TableName=name, Key={"id": {"S": "counter"}})["Item"]["n"]["N"]
            try:
                cloud.dynamodb.update_item(
                    TableName=name,
                    Key={"id": {"S": "counter"}},
                    UpdateExpression="SET n = :next",
                    ConditionExpression="n = :now",
                    ExpressionAttributeValues={":now": {"N": now}, ":next": {"N": str(int(now) + 1)}},
                )
                won += 1
            except cloud.dynamodb.exceptions.ConditionalCheckFailedException:
                continue
        return won

    with ThreadPoolExecutor(20) as threads:
        won = sum(threads.map(increment, range(20)))
    assert cloud.dynamodb.get_item(TableName=name, Key={"id": {"S": "counter"}})["Item"]["n"]["N"] == str(won)


def test_every_decision_is_in_the_audit(cloud: Cloud):
    lines = [json.loads(line) for line in cloud.home.audit.read_text().splitlines()]
    allowed = [line for line in lines if line["decision"] == "allow" and line["action"] == "s3:PutObject"]
    assert "role policy p#0" in allowed[0]["matched"]
