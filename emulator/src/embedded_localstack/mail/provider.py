"""Provide SES v2, which LocalStack Community lacks. The entry point is in pyproject.toml."""
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator"

from typing import Any

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import SERVICE_PLUGINS, Service, aws_provider
from moto.ses.models import ses_backends
from moto.sesv2.models import SESV2Backend

from embedded_localstack.mail import resources, sending

# The operations that moto implements on the identities, configuration sets, contacts and tags of SES v1.
_FORWARDED = (
    "CreateContact CreateContactList CreateDedicatedIpPool DeleteContact DeleteContactList DeleteDedicatedIpPool "
    "GetContact GetContactList GetDedicatedIpPool ListConfigurationSets ListContactLists ListContacts "
    "ListDedicatedIpPools ListEmailIdentities ListTagsForResource TagResource UntagResource"
)
_OWN = {
    "CreateConfigurationSet": resources.create_set,
    "CreateEmailIdentity": resources.create_identity,
    "CreateEmailIdentityPolicy": resources.create_policy,
    "CreateEmailTemplate": resources.create_template,
    "DeleteConfigurationSet": resources.delete_set,
    "DeleteEmailIdentity": resources.delete_identity,
    "DeleteEmailIdentityPolicy": resources.delete_policy,
    "DeleteEmailTemplate": resources.delete_template,
    "DeleteSuppressedDestination": resources.delete_suppressed,
    "GetAccount": resources.get_account,
    "GetConfigurationSet": resources.get_set,
    "GetEmailIdentity": resources.get_identity,
    "GetEmailIdentityPolicies": resources.get_policies,
    "GetEmailTemplate": resources.get_template,
    "GetSuppressedDestination": resources.get_suppressed,
    "ListEmailTemplates": resources.list_templates,
    "ListSuppressedDestinations": resources.list_suppressed,
    "PutSuppressedDestination": resources.put_suppressed,
    "SendEmail": sending.send_email,
    "UpdateEmailIdentityPolicy": resources.update_policy,
    "UpdateEmailTemplate": resources.update_template,
}


@aws_provider(api="sesv2")
def sesv2() -> Any:
    """Return SES v2. Operations in neither table are refused by name (patches/missing_operations.py)."""
    # SES v1 stores the state of both APIs, and serves the list of sent mails.
    SERVICE_PLUGINS.require("ses")
    # moto's SES v2 keeps a reference to the backend of SES v1, but a reset of the state creates a new backend.
    backend_class: Any = SESV2Backend
    backend_class.core_backend = property(_core_backend, lambda _backend, _value: None)
    api = load_service("sesv2")
    table = dict.fromkeys(api.operation_names, _missing) | dict.fromkeys(_FORWARDED.split(), _forward) | _OWN
    return Service("sesv2", skeleton=Skeleton(api, table))


def _core_backend(backend: SESV2Backend) -> Any:
    return ses_backends[backend.account_id][backend.region_name]


def _forward(context: Any, _request: Any) -> Any:
    return call_moto(context)


def _missing(_context: Any, _request: Any) -> Any:
    raise NotImplementedError
