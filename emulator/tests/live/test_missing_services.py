"""Test calls of services that LocalStack Community lacks: moto answers them, or the error names an alternative."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import Cloud


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    """Return the error code and the message of a refused call."""
    with pytest.raises(ClientError) as refused:
        call(**params)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_missing_service_is_named_with_what_to_use_instead(cloud: Cloud):
    code, message = refusal(cloud.pipes.list_pipes)
    assert code == "InternalFailure"
    assert message == (
        "Amazon EventBridge Pipes is not there: the embedded LocalStack cannot emulate it; connect the source with an "
        "event source mapping of Lambda, or with a rule of EventBridge"
    )
    _, message = refusal(cloud.cloudcontrol.list_resources, TypeName="AWS::SQS::Queue")
    assert message.startswith("AWS Cloud Control API is not there: ")
    assert message.endswith("; call the operations of the resource's own service")


def test_a_missing_operation_is_named(cloud: Cloud):
    _, message = refusal(cloud.events.list_partner_event_sources, NamePrefix="a")
    assert message.startswith("Amazon EventBridge has no operation ListPartnerEventSources here: ")
    assert message.endswith("; leave it out of what you deploy here, and test it on AWS")


def test_the_account_is_in_no_organization_until_one_is_created(cloud: Cloud):
    code, _ = refusal(cloud.organizations.describe_organization)
    assert code == "AWSOrganizationsNotInUseException"
    cloud.organizations.create_organization()
    assert cloud.organizations.describe_organization()["Organization"]["MasterAccountId"] == "000000000000"
    cloud.organizations.delete_organization()  # the other tests share the server
