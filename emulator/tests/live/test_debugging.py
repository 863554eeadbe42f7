"""Test the debugging of functions on a running server. The debugger is pdb, because it needs only a connection."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from support import POLL, Cloud, eventually, free_port, package

LIMIT_S = 2
"""The timeout of the function, and the visibility timeout of its queue."""
CODE = """
import boto3, time

def handler(event, context):
    left = context.get_remaining_time_in_millis()
    key = f"{context.function_name}/{context.aws_request_id}"
    if event == "sleep":
        time.sleep(60)
    boto3.client("s3").put_object(Bucket="out", Key=key, Body=str(event))
    return left
"""
FIRST_LINE = 5


class Debugging:
    """A function that can be debugged, with the requests that begin and end its debugging."""

    def __init__(self, cloud: Cloud, arn: str) -> None:
        self.url, self.arn, self.port = f"http://127.0.0.1:{cloud.home.port}/_localstack/debug", arn, free_port()

    def send(self, method: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, str]:
        url = self.url if body else f"{self.url}?function={self.arn}"
        content = json.dumps(body).encode() if body else None
        request = urllib.request.Request(url, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.loads(answer.read()))

    def begin(self, line: int, **changes: Any) -> None:
        plan = {"kind": "pdb", "port": self.port, "breakpoints": [["app.py", line]]}
        self.send("PUT", plan | {"version": f"{self.arn}:$LATEST", "owner": os.getpid()} | changes)

    def state(self) -> str:
        return self.send("GET")["state"]

    @contextmanager
    def terminal(self) -> Iterator["Terminal"]:
        assert eventually(lambda: self.state() == "waiting")
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            yield Terminal(connection)


class Terminal:
    """A connection to pdb."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def stopped(self) -> str:
        """Return pdb's output up to its next prompt."""
        text = b""
        while not text.endswith(b"(Pdb) "):
            text += self._connection.recv(65536)
        return text.decode()

    def ask(self, command: str) -> str:
        self.say(command)
        return self.stopped().removesuffix("(Pdb) ").strip()

    def say(self, command: str) -> None:
        self._connection.sendall(f"{command}\n".encode())


@pytest.fixture
def debugging(cloud: Cloud, name: str) -> Iterator[Debugging]:
    arn = cloud.function(name, *POLL["sqs"], Code={"ZipFile": package(CODE)}, Timeout=LIMIT_S)
    debugging = Debugging(cloud, arn)
    yield debugging
    with suppress(urllib.error.HTTPError):
        debugging.send("DELETE")


def test_a_message_stays_hidden_while_its_function_is_stopped_longer_than_all_limits(
    cloud: Cloud, name: str, debugging: Debugging
):
    url, queue = cloud.queue(name, VisibilityTimeout=str(LIMIT_S))
    debugging.begin(FIRST_LINE)
    with debugging.terminal() as terminal:
        cloud.lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
        cloud.sqs.send_message(QueueUrl=url, MessageBody="first")
        assert "app.py(5)handler()" in terminal.stopped()
        wait_for(2 * LIMIT_S)
        assert cloud.sqs.receive_message(QueueUrl=url).get("Messages") is None
        assert terminal.ask("p event['Records'][0]['body']") == "'first'"
        assert terminal.ask("p event['Records'][0]['attributes']['ApproximateReceiveCount']") == "'1'"
        assert int(terminal.ask("p context.get_remaining_time_in_millis()")) > 60_000
        terminal.say("continue")
        assert eventually(lambda: len(cloud.outputs(name)) == 1)
        # A second event reaches the same environment. After the terminal disconnects, the function handles the event.
        cloud.sqs.send_message(QueueUrl=url, MessageBody="second")
        terminal.stopped()
    assert eventually(lambda: len(cloud.outputs(name)) == 2)
    debugging.send("DELETE")
    assert eventually(lambda: left(cloud, url) == 0)
    answer = cloud.lambda_.invoke(FunctionName=name, Payload=b'"normal"')
    assert int(answer["Payload"].read()) <= LIMIT_S * 1000
    # Both events ran in one environment, and this invocation in another. Their logs are written in this order.
    assert eventually(lambda: len(streams(cloud, name)) >= 2)
    assert len(streams(cloud, name)) == 2


def wait_for(seconds: float) -> None:
    """Let the time pass that the test is about."""
    assert not eventually(lambda: False, seconds)


def left(cloud: Cloud, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def streams(cloud: Cloud, name: str) -> set[str]:
    """Return the names of the function's log streams, one for each environment."""
    try:
        answer = cloud.logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")
    except cloud.logs.exceptions.ResourceNotFoundException:
        return set()
    return {stream["logStreamName"] for stream in answer["logStreams"]}


def test_events_wait_for_the_debugger_and_run_as_before_when_it_never_comes(
    cloud: Cloud, name: str, debugging: Debugging
):
    debugging.begin(FIRST_LINE)
    assert eventually(lambda: debugging.state() == "waiting")
    with ThreadPoolExecutor() as pool:
        events = [
            pool.submit(cloud.lambda_.invoke, FunctionName=name, Payload=json.dumps(number)) for number in range(2)
        ]
        wait_for(0.5)
        assert not any(event.done() for event in events)
        debugging.send("DELETE")
        assert [event.result().get("FunctionError") for event in events] == [None, None]
    assert len(cloud.outputs(name)) == 2


def test_the_timeout_counts_again_when_the_debugger_has_left(cloud: Cloud, name: str, debugging: Debugging):
    debugging.begin(FIRST_LINE)
    with ThreadPoolExecutor() as pool:
        with debugging.terminal() as terminal:
            event = pool.submit(cloud.lambda_.invoke, FunctionName=name, Payload=b'"sleep"')
            terminal.stopped()
        assert b"timed out" in event.result()["Payload"].read()
    assert eventually(lambda: debugging.state() == "ended")
    # The next event starts the function again, and the function waits for a debugger again.
    with ThreadPoolExecutor() as pool:
        event = pool.submit(cloud.lambda_.invoke, FunctionName=name, Payload=b'"again"')
        with debugging.terminal() as terminal:
            terminal.stopped()
            assert terminal.ask("p event") == "'again'"
            terminal.say("continue")
            assert "FunctionError" not in event.result()


def test_debugging_ends_with_the_process_that_began_it(cloud: Cloud, debugging: Debugging):
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    debugging.begin(FIRST_LINE, owner=owner.pid)
    owner.communicate(b"\n")

    assert eventually(lambda: status(debugging) == 404)


def status(debugging: Debugging) -> int:
    try:
        debugging.state()
    except urllib.error.HTTPError as error:
        return error.code
    return 200


@pytest.mark.parametrize(
    ("changes", "headers", "status"),
    [
        ({"version": "arn:aws:lambda:us-east-1:000000000000:function:nothing:$LATEST"}, {}, 404),
        ({"kind": "gdb"}, {}, 400),
        ({"port": 0}, {}, 400),
        ({}, {"Origin": "http://elsewhere.example"}, 403),
    ],
    ids=["no such function", "no such debugger", "no such port", "a web page"],
)
def test_a_wrong_request_is_refused(
    debugging: Debugging, changes: dict[str, Any], headers: dict[str, str], status: int
):
    plan = {"kind": "pdb", "port": debugging.port, "version": f"{debugging.arn}:$LATEST", "owner": os.getpid()}
    with pytest.raises(urllib.error.HTTPError) as refused:
        debugging.send("PUT", plan | changes, **headers)
    assert refused.value.code == status
