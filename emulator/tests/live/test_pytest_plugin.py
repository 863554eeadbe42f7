"""Test the pytest plugin and the classes behind it: a foreign project's tests run on a separate server."""

import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from embedded_localstack import processes
from embedded_localstack.state import LaunchError
from embedded_localstack.testing import LocalStackProcess
from support import eventually

pytest_plugins = ["pytester"]

HELPERS = """
import io, json, zipfile
import boto3, pytest

CODE = '''
import boto3
def handler(event, context):
    print("the order is", event["order"])
    boto3.client("s3").list_buckets()
'''
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
LOGS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}


def invoke():
    iam, lambda_ = boto3.client("iam"), boto3.client("lambda")
    role = iam.create_role(RoleName="orders", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="orders", PolicyName="logs", PolicyDocument=json.dumps(LOGS))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", CODE)
    lambda_.create_function(
        FunctionName="orders",
        Role=role,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    soon = {"Delay": 0.05, "MaxAttempts": 600}
    lambda_.get_waiter("function_active_v2").wait(FunctionName="orders", WaiterConfig=soon)
    return lambda_.invoke(FunctionName="orders", Payload=b'{"order": "A-17"}').get("FunctionError")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, emptied: LocalStackProcess) -> pytest.Pytester:
    """Return a project whose tests use the running server."""
    pytester.makeini(
        "[pytest]\naddopts = -p no:cacheprovider\n"
        f"embedded_localstack_port = {emptied.home.port}\nembedded_localstack_home = {emptied.home.path}\n"
    )
    pytester.makepyfile(helpers=HELPERS)
    return pytester


def test_each_test_begins_with_an_empty_cloud(project: pytest.Pytester):
    project.makepyfile(
        """
        import boto3, pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test_orders(fresh_cloud, turn):
            s3 = boto3.client("s3")
            assert s3.list_buckets()["Buckets"] == []
            s3.create_bucket(Bucket="orders")
            assert fresh_cloud.get_client("s3").list_buckets()["Buckets"][0]["Name"] == "orders"
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=2)


def test_the_report_of_a_failed_test_has_logs_and_refusals(project: pytest.Pytester):
    project.makepyfile("from helpers import *\ndef test_orders(fresh_cloud):\n    assert invoke() is None\n")
    result = project.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*calls that IAM refused*",
            "*role/orders*",
            "*may not s3:ListAllMyBuckets on *",
            "*logs of Lambda functions*",
            "orders: the order is A-17",
        ]
    )


MARKED = """
from helpers import *

@pytest.mark.{marker}
def test_refused(fresh_cloud):
    assert invoke()

@pytest.mark.{marker}
def test_nothing(fresh_cloud):
    pass

def test_refused_and_not_marked(fresh_cloud):
    assert invoke()
"""


@pytest.mark.parametrize(
    ("setting", "marker", "failed"),
    [("", "fail_on_iam_denial", "test_refused"), ("fail", "allow_iam_denial", "test_refused_and_not_marked")],
)
def test_a_refusal_fails_a_test_if_a_marker_or_the_setting_says_so(
    project: pytest.Pytester, setting: str, marker: str, failed: str
):
    project.makepyfile(MARKED.format(marker=marker))
    result = project.runpytest_subprocess("-o", f"embedded_localstack_iam_denials={setting}", "--strict-markers")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [f"*_ {failed} _*", "IAM refused a call in this test:", "*may not s3:ListAllMyBuckets on *"]
    )


def test_a_server_that_does_not_run_is_named(project: pytest.Pytester):
    project.makepyfile("def test_orders(fresh_cloud):\n    pass\n")
    result = project.runpytest_subprocess("--embedded-localstack-home", "elsewhere")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*LaunchError: no server runs in */elsewhere; start it with: embedded-localstack up*"])


def test_a_session_without_the_fixtures_imports_nothing_of_the_emulator(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            packages = ("embedded_localstack", "localstack", "boto3")
            loaded = {name for name in sys.modules if name.partition(".")[0] in packages}
            assert loaded == {"embedded_localstack", "embedded_localstack.pytest_plugin"}
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_environment_leads_to_the_cloud_and_is_restored(
    emptied: LocalStackProcess, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    before = dict(os.environ)
    with emptied.environment():
        s3 = boto3.client("s3")
        assert (s3.meta.endpoint_url, s3.meta.region_name) == (emptied.get_url(), "us-east-1")
        assert s3.list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert dict(os.environ) == before


def test_a_client_in_the_style_of_testcontainers(emptied: LocalStackProcess):
    attached = LocalStackProcess(port=emptied.home.port, home=emptied.home.path).with_services("s3").attach()
    with pytest.raises(ClientError, match="NoSuchBucket"):
        attached.get_client("s3").list_objects_v2(Bucket="nobodys")
    attached.stop()
    assert eventually(lambda: emptied.home.load().running())  # type: ignore[union-attr]


def test_what_is_not_started_says_so():
    with pytest.raises(LaunchError, match="not started: call start"):
        LocalStackProcess().get_url()


KILLED = """
import os, sys
from pathlib import Path
import boto3, embedded_localstack

with embedded_localstack.cloud(home=Path(sys.argv[1]), region_name="eu-west-1", IAM_ENFORCE="0") as cloud:
    s3 = boto3.client("s3")
    assert (s3.meta.endpoint_url, s3.meta.region_name) == (cloud.get_url(), "eu-west-1")
    assert s3.list_buckets()["Buckets"] == []
    assert cloud.home.load().iam is False
    os._exit(9)
"""


def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path):
    home = tmp_path / "home"
    done = subprocess.run([sys.executable, "-c", KILLED, home], capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    assert eventually(lambda: not processes.belonging_to(home))


def test_the_examples_of_the_page_work(project: pytest.Pytester):
    page = Path(__file__).parents[2] / "docs" / "pytest.md"
    project.makepyfile("\n\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)))
    project.runpytest_subprocess().assert_outcomes(passed=3)
