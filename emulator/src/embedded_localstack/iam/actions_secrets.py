"""Permissions that operations of Secrets Manager and Systems Manager's parameters need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

from embedded_localstack.iam.request import Check, Keys, Request, Row, anything, each, needs, request_tags, text

# -- Secrets Manager


def _secret(request: Request) -> str:
    return request.facts.secret_arn(text(request.params.get("SecretId")))


def _new_secret(request: Request) -> str:
    """Return the ARN of a new secret, with a wildcard for the six random characters at its end."""
    return request.arn("secretsmanager", f"secret:{text(request.params.get('Name'))}-??????")


def _secret_keys(request: Request) -> Keys:
    params = request.params
    named = {"name": "Name", "secretid": "SecretId", "versionid": "VersionId", "versionstage": "VersionStage"}
    named |= {"kmskeyid": "KmsKeyId", "recoverywindowindays": "RecoveryWindowInDays"}
    keys = {f"secretsmanager:{key}": text(params[name]) for key, name in named.items() if params.get(name)}
    if request.operation == "DeleteSecret":
        forced = bool(params.get("ForceDeleteWithoutRecovery"))
        keys["secretsmanager:forcedeletewithoutrecovery"] = str(forced).lower()
    if request.operation == "GetSecretValue":
        keys.setdefault("secretsmanager:versionstage", "AWSCURRENT")
    return keys | request_tags(params.get("Tags"))


def _secret_values(request: Request) -> list[Check]:
    """Return the permissions of BatchGetSecretValue, including the permission to read each named secret."""
    read = [
        Check("secretsmanager:GetSecretValue", request.facts.secret_arn(text(name)))
        for name in request.params.get("SecretIdList") or []
    ]
    return [Check("secretsmanager:BatchGetSecretValue", "*"), *read]


SECRETS: dict[str, Row] = (
    {
        operation: needs(f"secretsmanager:{operation}", _secret, _secret_keys)
        for operation in (
            "CancelRotateSecret DeleteResourcePolicy DeleteSecret DescribeSecret GetResourcePolicy GetSecretValue "
            "ListSecretVersionIds PutResourcePolicy PutSecretValue RemoveRegionsFromReplication "
            "ReplicateSecretToRegions RestoreSecret RotateSecret StopReplicationToReplica TagResource UntagResource "
            "UpdateSecret UpdateSecretVersionStage ValidateResourcePolicy"
        ).split()
    }
    | {
        "BatchGetSecretValue": _secret_values,
        "CreateSecret": needs("secretsmanager:CreateSecret", _new_secret, _secret_keys),
    }
    | each("secretsmanager", ["GetRandomPassword", "ListSecrets"], anything)
)

# -- Parameters


def _parameters(request: Request) -> list[Check]:
    params = request.params
    names = params.get("Names") or [params.get("Name") or params.get("Path") or "*"]
    keys = request_tags(params.get("Tags"))
    if request.operation == "PutParameter":
        keys |= {"ssm:overwrite": str(bool(params.get("Overwrite"))).lower()}
    if request.operation == "GetParametersByPath":
        keys |= {"ssm:recursive": str(bool(params.get("Recursive"))).lower()}
    return [
        # A parameter may be named by its ARN, and with a version or label after a colon.
        Check(f"ssm:{request.operation}", _parameter(request, text(name)), keys)
        for name in names
    ]


def _parameter(request: Request, name: str) -> str:
    if name.startswith("arn:"):
        return ":".join(name.split(":")[:6])
    return request.arn("ssm", f"parameter/{name.removeprefix('/').partition(':')[0]}")


_TAGGED = {"Document": "document", "MaintenanceWindow": "maintenancewindow", "ManagedInstance": "managed-instance"}
_TAGGED |= {"Parameter": "parameter", "PatchBaseline": "patchbaseline", "OpsItem": "opsitem"}


def _tagged(request: Request) -> str:
    kind = text(request.params.get("ResourceType"))
    name = text(request.params.get("ResourceId"))
    return request.arn("ssm", f"{_TAGGED.get(kind, kind.lower())}/{name.removeprefix('/')}")


def _tag_keys(request: Request) -> Keys:
    return request_tags(request.params.get("Tags"))


SSM: dict[str, Row] = {
    operation: _parameters
    for operation in (
        "DeleteParameter DeleteParameters GetParameter GetParameterHistory GetParameters GetParametersByPath "
        "LabelParameterVersion PutParameter UnlabelParameterVersion"
    ).split()
}
SSM |= {
    "AddTagsToResource": needs(
        "ssm:AddTagsToResource", _tagged, lambda request: request_tags(request.params.get("Tags"))
    ),
    **each("ssm", ["ListTagsForResource", "RemoveTagsFromResource"], _tagged),
    **each("ssm", ["DescribeParameters"], anything),
}
