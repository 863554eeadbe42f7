"""Test that a patch with a missing target stops the start and is named in the error.

Each patch runs in its own child process, because patches stay installed.
"""

import json
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from embedded_localstack import plugins
from embedded_localstack.state import Home
from support import Cloud, eventually, free_port, launcher

TARGETS = {
    "patches.api_gateway": "localstack.services.apigateway.next_gen.execute_api.integrations.aws:mime_type_matches_binary_media_types",
    "patches.cloudwatch_alarms": "localstack.services.cloudwatch.provider_v2:CloudwatchProvider._run_composite_alarm_actions",
    "patches.cloudwatch_metrics": "localstack.services.sqs.provider:publish_sqs_metric_batch",
    "patches.dynamodb_records": "localstack.services.dynamodb.provider:DynamoDBProvider.prepare_transact_write_item_records",
    "patches.eventbridge_archives": "localstack.services.events.archive:ArchiveService.put_events",
    "patches.eventbridge_targets": "localstack.services.events.target:TargetSender.process_event",
    "patches.lambda_aliases": "localstack.services.lambda_.provider:LambdaProvider._create_routing_config_model",
    "patches.lambda_async": "localstack.services.lambda_.invocation.event_manager:Poller.handle_message",
    "patches.lambda_client_context": "localstack.services.lambda_.invocation.execution_environment:ExecutionEnvironment.invoke",
    "patches.lambda_code": "localstack.services.lambda_.invocation.lambda_models:S3Code._download_archive_to_file",
    "patches.lambda_dead_letters": "localstack.utils.aws.dead_letter_queue:_prepare_messages_to_dlq",
    "patches.lambda_retries": "localstack.services.lambda_.invocation.event_manager:has_enough_time_for_retry",
    "patches.lambda_versions": "localstack.services.lambda_.invocation.lambda_service:LambdaService.stop_version",
    "patches.idle_connections": "botocore.httpsession:URLLib3Session.__init__",
    "patches.missing_operations": "localstack.utils.catalog.catalog_loader:RemoteCatalogLoader.get_remote_catalog",
    "patches.no_downloads": "localstack.packages.api:PackageInstaller.install",
    "patches.request_bodies": "localstack.services.lambda_.urlrouter:restore_payload",
    "patches.kinesis_changes": "localstack.aws.handlers:run_custom_response_handlers",
    "patches.lambda_event_sources": "localstack.services.lambda_.event_source_mapping.pollers.sqs_poller:SqsPoller.handle_messages",
    "patches.lambda_mappings": "localstack.services.lambda_.invocation.models:lambda_stores",
    "patches.logs_filters": "localstack.services.logs.provider:get_pattern_matcher",
    "patches.logs_keys": "localstack.services.logs.provider:LogsProvider",
    "patches.lambda_keys": "localstack.services.lambda_.provider:LambdaProvider._create_version_model",
    "patches.lambda_logs": "localstack.services.lambda_.invocation.logs:LogHandler.run_log_loop",
    "patches.lambda_configurations": "localstack.aws.handlers:serve_custom_service_request_handlers",
    "patches.lambda_payload_limits": "localstack.aws.handlers:serve_custom_service_request_handlers",
    "patches.moto_backends": "localstack.services.kinesis.kinesis_mock_server:KinesisServerManager._create_kinesis_mock_server",
    "patches.s3_events": "localstack.services.s3.notifications:S3EventNotificationContext.from_request_context",
    "patches.s3_listings": "localstack.services.s3.provider:decode_continuation_token",
    "patches.s3_presigned": "localstack.services.s3.presigned_url:get_credentials_from_parameters",
    "patches.s3_copies": "localstack.services.s3.utils:extract_bucket_key_version_id_from_copy_source",
    "patches.s3_deletions": "localstack.services.s3.provider:S3Provider",
    "patches.s3_websites": "localstack.services.s3.website_hosting:S3WebsiteHostingHandler._serve_object",
    "patches.sqs_queries": "localstack.services.sqs.query_api:try_call_sqs",
    "patches.stepfunctions_credentials": (
        "localstack.services.stepfunctions.asl.component.state.state_execution.state_task.state_task"
        ":StateTask._eval_state_credentials"
    ),
    "patches.s3_hostname": "localstack.aws.connect:get_s3_hostname",
    "patches.s3_temporary_folder": "localstack.services.s3.provider:DEFAULT_S3_TMP_DIR",
    "patches.sts_sessions": "localstack.services.sts.provider:ValidationError",
    "patches.iam_inline_policies": "moto.iam.policy_validation:BaseIAMPolicyValidator._validate_version",
    "patches.cloudformation_templates": "localstack.services.cloudformation.api_utils:get_template_body",
    "patches.cloudformation_buckets": (
        "localstack.services.s3.resource_providers.aws_s3_bucket:S3BucketProvider._create_bucket_if_does_not_exist"
    ),
    "patches.lambda_layers": "localstack.services.lambda_.provider:LambdaProvider._validate_layers",
    "patches.cloudformation_custom_resources": (
        "localstack.services.cloudformation.resource_provider:ResourceProviderExecutor.try_load_resource_provider"
    ),
    "patches.s3_lifecycles": "localstack.services.s3.provider:get_lifecycle_rule_from_object",
    "patches.iam_boundaries": "localstack.services.iam.provider:get_iam_backend",
    "patches.stepfunctions_jsonata": "localstack.services.stepfunctions.asl.jsonata.validations:eval_jsonata_expression",
    "patches.stepfunctions_maps": (
        "localstack.services.stepfunctions.asl.component.state.state_execution.state_map.item_reader.resource_eval.resource_eval_s3"
        ":ResourceEvalS3._handle_list_objects_v2"
    ),
    "iam.api_methods": "localstack.services.apigateway.next_gen.execute_api.handlers:preprocess_request",
    "http_apis.gateway": "localstack.aws.handlers:preprocess_request",
    "debugging": "localstack.aws.connect:InternalClientFactory",
    "load_balancers.gateway": "localstack.aws.handlers:preprocess_request",
    "snapshot.control": "localstack.aws.handlers:run_custom_finalizers",
    "iam.handler": "localstack.aws.handlers:serve_custom_service_request_handlers",
    "iam.documents": "localstack.aws.handlers:serve_custom_service_request_handlers",
    "iam.function_urls": "localstack.services.lambda_.urlrouter:FunctionUrlRouter.handle_lambda_url_invocation",
}
# Garbage collection is off, because it would copy the memory that a child shares with its parent.
REMOVE_AND_INSTALL = """
import functools, gc, importlib, json, os, sys
gc.disable()
from embedded_localstack import plugins
plugins.LATER = {}
targets = {patch: target.split(":") for patch, target in json.loads(sys.argv[1]).items()}
modules = {patch: importlib.import_module(module) for patch, (module, _) in targets.items()}
for patch, (_, path) in targets.items():
    if os.fork():
        os.wait()
        continue
    *parents, name = path.split(".")
    delattr(functools.reduce(getattr, parents, modules[patch]), name)
    plugins.PATCHES, plugins.ENFORCEMENT = (f"embedded_localstack.{patch}",), ()
    try:
        plugins.install()
    except plugins.PatchError as error:
        print(error, flush=True)
    os._exit(0)
"""


def test_every_patch_has_a_target_here():
    assert {f"embedded_localstack.{name}" for name in TARGETS} == {*plugins.PATCHES, *plugins.ENFORCEMENT}


def test_a_patch_without_its_target_is_named(home: Home):
    environment = {"TMPDIR": str(home.temporary), "EMBEDDED_LOCALSTACK_HOME": str(home.path)}
    command = [sys.executable, "-c", REMOVE_AND_INSTALL, json.dumps(TARGETS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    messages = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert messages == [f"the patch embedded_localstack.{patch} does not fit LocalStack 4.14.0" for patch in TARGETS], (
        done.stderr
    )


def test_the_server_does_not_start_without_the_target_of_a_patch(home: Home, tmp_path_factory: pytest.TempPathFactory):
    """`up` fails if the target of a patch is missing in the server."""
    code = """
import sys
from localstack.services.s3 import provider
del provider.decode_continuation_token
from embedded_localstack.server import main
main()
"""
    starter = f"""
import sys
from embedded_localstack import cli, launch
launch.SERVER = [sys.executable, "-c", {code!r}]
sys.exit(cli.main(sys.argv[1:]))
"""
    other = Home(free_port(), home.path.with_name("other"))
    command = [sys.executable, "-c", starter, "up", "--port", str(other.port), "--home", str(other.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the patch embedded_localstack.patches.s3_listings does not fit LocalStack 4.14.0" in done.stderr
    assert launcher("status", other).returncode == 3


def test_no_name_server_is_asked_for_the_host_name_of_s3():
    code = """
import socket
from embedded_localstack.patches import s3_hostname
from localstack.aws import connect
def fail(name):
    raise AssertionError(f"the name server was asked for {name}")
socket.gethostbyname = fail
s3_hostname.install()
print(connect.connect_to(region_name="us-east-1").s3._client.meta.endpoint_url)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("http://localhost:"), done.stderr


@pytest.mark.parametrize(
    ("service", "operation", "message"),
    [
        ("sesv2", "list_export_jobs", "Amazon Simple Email Service has no operation ListExportJobs here: .*; leave"),
        ("xray", "get_sampling_rules", "AWS X-Ray is not there: .*; turn tracing off"),
        (
            "lambda",
            "list_capacity_providers",
            "AWS Lambda has no operation ListCapacityProviders here: .*; leave it out",
        ),
    ],
)
def test_what_is_not_here_is_named(cloud: Cloud, service: str, operation: str, message: str):
    with pytest.raises(ClientError, match=message):
        getattr(cloud.client(service), operation)()


def tags_of(cloud: Cloud, name: str) -> dict[str, str]:
    arn = f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"
    return {tag["Key"]: tag["Value"] for tag in cloud.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}


METRIC = {
    "Namespace": "n",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}


def test_an_alarm_keeps_its_tags(cloud: Cloud, name: str):
    arn = f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"
    cloud.cloudwatch.put_metric_alarm(AlarmName=name, Tags=[{"Key": "Project", "Value": "a"}], **METRIC)
    assert tags_of(cloud, name) == {"Project": "a"}
    cloud.cloudwatch.put_metric_alarm(AlarmName=name, Tags=[{"Key": "Project", "Value": "ignored"}], **METRIC)
    assert tags_of(cloud, name) == {"Project": "a"}
    cloud.cloudwatch.tag_resource(
        ResourceARN=arn, Tags=[{"Key": "Project", "Value": "b"}, {"Key": "Owner", "Value": "me"}]
    )
    cloud.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["Owner"])
    assert tags_of(cloud, name) == {"Project": "b"}
    cloud.cloudwatch.delete_alarms(AlarmNames=[name])
    cloud.cloudwatch.put_metric_alarm(AlarmName=name, **METRIC)
    assert tags_of(cloud, name) == {}
    cloud.cloudwatch.delete_alarms(AlarmNames=[name])


def test_a_composite_alarm_keeps_its_tags(cloud: Cloud, name: str):
    part = f"{name}-part"
    cloud.cloudwatch.put_metric_alarm(AlarmName=part, **METRIC)
    cloud.cloudwatch.put_composite_alarm(
        AlarmName=name, AlarmRule=f'ALARM("{part}")', Tags=[{"Key": "Project", "Value": "a"}]
    )
    assert eventually(lambda: tags_of(cloud, name)) == {"Project": "a"}
    cloud.cloudwatch.delete_alarms(AlarmNames=[name, part])
