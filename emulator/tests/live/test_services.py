"""Test services that call functions, queues and topics, with missing, wrong and right permissions."""

import json
import socket
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import ACCOUNT, REGION, Cloud, eventually, from_service, policy, status

# -- S3 events


def notify(cloud: Cloud, bucket: str, queue_arn: str) -> None:
    events = {"QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    cloud.s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [events]}
    )


@pytest.mark.parametrize("source", [None, "elsewhere"], ids=["missing", "wrong"])
def test_s3_to_sqs_is_refused(cloud: Cloud, name: str, source: str | None):
    cloud.s3.create_bucket(Bucket=name)
    _, arn = cloud.queue(name, from_service("s3", f"arn:aws:s3:::{source}") if source else None)
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        notify(cloud, name, arn)
    assert cloud.denied("sqs:SendMessage", arn, who="s3.amazonaws.com")


def test_s3_to_sqs_has_increasing_sequencers(cloud: Cloud, name: str):
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
    while len(records) < 5 and (bodies := cloud.received(url)):
        records += [record for body in bodies for record in body["Records"]]
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
    cloud.s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}}}
    rule = cloud.events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    url, arn = cloud.queue(name, from_service("events", rule))
    cloud.events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    cloud.s3.put_object(Bucket=name, Key="a b", Body=b"")
    cloud.s3.delete_object(Bucket=name, Key="a b")
    events: list[dict[str, Any]] = []
    while len(events) < 2 and (more := cloud.received(url)):
        events += more
    events.sort(key=lambda event: event["detail"]["object"]["sequencer"])
    assert [event["detail-type"] for event in events] == ["Object Created", "Object Deleted"]
    assert events[0]["detail"]["object"]["key"] == "a b"


# -- services that call functions, queues and topics


def test_s3_to_lambda(cloud: Cloud, name: str):
    function = cloud.function(name)
    cloud.s3.create_bucket(Bucket=name)

    def connect() -> None:
        events = {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}
        cloud.s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"LambdaFunctionConfigurations": [events]}
        )

    with pytest.raises(ClientError, match="Unable to validate"):
        connect()
    permit(cloud, name, "s3", "arn:aws:s3:::elsewhere", "wrong")
    with pytest.raises(ClientError, match="Unable to validate"):
        connect()
    permit(cloud, name, "s3", f"arn:aws:s3:::{name}", "right")
    connect()
    cloud.s3.put_object(Bucket=name, Key="k", Body=b"")
    assert eventually(lambda: len(cloud.outputs(name)) == 1)


def test_the_server_does_not_listen_on_other_addresses(cloud: Cloud):
    """Connect to 127.0.0.2, where a server that listens on all addresses would also listen."""
    with pytest.raises(OSError, match=r"refused|timed out|assign"):
        socket.create_connection(("127.0.0.2", cloud.home.port), timeout=2).close()


def permit(cloud: Cloud, function: str, service: str, source_arn: str, statement: str = "s") -> None:
    account = {} if service == "events" else {"SourceAccount": ACCOUNT}
    cloud.lambda_.add_permission(
        FunctionName=function,
        StatementId=statement,
        Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com",
        SourceArn=source_arn,
        **account,
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


def test_sns_sends_failed_deliveries_to_the_dead_letter_queue(cloud: Cloud, name: str):
    topic = cloud.sns.create_topic(Name=name)["TopicArn"]
    function = cloud.function(name)
    url, arn = cloud.queue(name, from_service("sns", topic))
    cloud.sns.subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=function,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn})},
    )
    cloud.sns.publish(TopicArn=topic, Message="undeliverable")
    assert [message["Message"] for message in cloud.received(url)] == ["undeliverable"]


def test_api_gateway_to_lambda(cloud: Cloud, name: str):
    function = cloud.function(name)
    api = cloud.apigateway.create_rest_api(name=name)["id"]
    root = cloud.apigateway.get_resources(restApiId=api)["items"][0]["id"]
    where = {
        "restApiId": api,
        "resourceId": cloud.apigateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"],
    }
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
        FunctionName=name,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    assert status(here, Host=host) == 403
    cloud.lambda_.add_permission(FunctionName=name, StatementId="invoke", Action="lambda:InvokeFunction", Principal="*")
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


# -- Step Functions


def test_a_state_machine_evaluates_jsonata(cloud: Cloud, name: str):
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    output = {"sum": "{% $states.input.a + 1 %}", "text": "{% $states.input.text %}"}
    state = {"Type": "Pass", "Output": output, "End": True}
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Add", "States": {"Add": state}})
    machine = cloud.stepfunctions.create_state_machine(name=name, definition=definition, roleArn=role)[
        "stateMachineArn"
    ]
    given = json.dumps({"a": 1, "text": 'a "quoted" text'})
    execution = cloud.stepfunctions.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    ended = eventually(lambda: cloud.stepfunctions.describe_execution(executionArn=execution).get("output"))
    assert json.loads(ended) == {"sum": 2, "text": 'a "quoted" text'}
