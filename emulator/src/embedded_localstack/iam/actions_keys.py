"""Permissions that operations of KMS and STS need.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

from embedded_localstack.iam.request import Check, Keys, Request, Row, anything, each, needs, request_tags, text

# -- KMS

# LocalStack's ciphertext begins with the ID of its key, a UUID.
_KEY_ID = 36


def _key_in(request: Request, name: str, blob: str = "") -> str:
    """Return the ARN of the key in a parameter, or else of the key that encrypted the blob in another parameter."""
    key = text(request.params.get(name))
    if not key and blob:
        ciphertext = request.params.get(blob) or b""
        key = bytes(ciphertext[:_KEY_ID]).decode("ascii", "replace") if isinstance(ciphertext, bytes) else ""
    return request.facts.key_arn(key) if key else "*"


def _key(request: Request) -> str:
    return _key_in(request, "KeyId", "CiphertextBlob")


def _context_keys(request: Request) -> dict[str, str | list[str]]:
    """Return the condition keys of a request that uses a key.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    params = request.params
    keys: dict[str, str | list[str]] = {"kms:calleraccount": request.account}
    context = params.get("EncryptionContext") or {}
    keys |= {f"kms:encryptioncontext:{name}".lower(): text(value) for name, value in context.items()}
    if context:
        keys["kms:encryptioncontextkeys"] = [text(name) for name in context]
    alias = text(params.get("KeyId")).rpartition(":")[2]
    if alias.startswith("alias/"):
        keys["kms:requestalias"] = alias
    return keys


def _grant_keys(request: Request) -> Keys:
    params = request.params
    named = {"kms:granteeprincipal": "GranteePrincipal", "kms:retiringprincipal": "RetiringPrincipal"}
    keys: dict[str, str | list[str]] = {key: text(params[name]) for key, name in named.items() if params.get(name)}
    constraints = list(params.get("Constraints") or {})
    if constraints:
        keys["kms:grantconstrainttype"] = constraints[0]
    return (
        _context_keys(request) | keys | {"kms:grantoperations": [text(name) for name in params.get("Operations") or []]}
    )


def _of_key(operations: str) -> dict[str, Row]:
    return {operation: needs(f"kms:{operation}", _key, _context_keys) for operation in operations.split()}


def _alias(request: Request) -> str:
    return request.arn("kms", text(request.params.get("AliasName")))


def _aliased(request: Request) -> list[Check]:
    """Return the permissions to make, move or delete an alias: on the alias, and on each key that it concerns."""
    action, alias = f"kms:{request.operation}", text(request.params.get("AliasName"))
    target = [_key_in(request, "TargetKeyId")] if request.params.get("TargetKeyId") else []
    present = request.facts.key_arn(alias)
    current = [present] if ":key/alias/" not in present else []
    of_alias = current if request.operation != "CreateAlias" else []
    return [
        Check(action, _alias(request)),
        *(Check(action, key, _context_keys(request)) for key in [*of_alias, *target]),
    ]


def _re_encrypt(request: Request) -> list[Check]:
    keys = {"kms:calleraccount": request.account}
    source = _key_in(request, "SourceKeyId", "CiphertextBlob")
    return [
        Check("kms:ReEncryptFrom", source, keys),
        Check("kms:ReEncryptTo", _key_in(request, "DestinationKeyId"), keys),
    ]


def _new_key(request: Request) -> list[Check]:
    tags = {text(tag.get("TagKey")): text(tag.get("TagValue")) for tag in request.params.get("Tags") or []}
    keys: dict[str, str | list[str]] = {f"aws:requesttag/{name}".lower(): value for name, value in tags.items()}
    keys["aws:tagkeys"] = [*tags]
    return [Check("kms:CreateKey", "*", keys), *([Check("kms:TagResource", "*", keys)] if tags else [])]


KMS: dict[str, Row] = (
    _of_key(
        "CancelKeyDeletion Decrypt DeleteImportedKeyMaterial DeriveSharedSecret DescribeKey DisableKey "
        "DisableKeyRotation EnableKey EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyPair "
        "GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac GetKeyPolicy "
        "GetKeyRotationStatus GetParametersForImport GetPublicKey ImportKeyMaterial ListGrants ListKeyPolicies "
        "ListKeyRotations ListResourceTags PutKeyPolicy ReplicateKey RetireGrant RevokeGrant RotateKeyOnDemand "
        "ScheduleKeyDeletion Sign TagResource UntagResource UpdateKeyDescription UpdatePrimaryRegion Verify VerifyMac"
    )
    | each("kms", "GenerateRandom ListAliases ListKeys ListRetirableGrants".split(), anything)
    | {operation: _aliased for operation in ("CreateAlias", "UpdateAlias", "DeleteAlias")}
    | {
        "CreateGrant": needs("kms:CreateGrant", _key, _grant_keys),
        "CreateKey": _new_key,
        "ReEncrypt": _re_encrypt,
    }
)

# -- STS

# These actions are decided by the trust policy of the role together with the policies of the caller.
OF_TRUST = {"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}


def _assume_role(request: Request) -> list[Check]:
    """Return the permissions of AssumeRole; session tags and a source identity need one more each.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
    """
    params = request.params
    names = {"externalid": "ExternalId", "rolesessionname": "RoleSessionName", "sourceidentity": "SourceIdentity"}
    keys: dict[str, str | list[str]] = {
        f"sts:{key}": text(params[name]) for key, name in names.items() if params.get(name)
    }
    if params.get("TransitiveTagKeys"):
        keys["sts:transitivetagkeys"] = [text(key) for key in params["TransitiveTagKeys"]]
    tags = request_tags(params.get("Tags"))
    keys |= tags
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if tags else []
    actions += ["sts:SetSourceIdentity"] if params.get("SourceIdentity") else []
    return [Check(action, text(params.get("RoleArn")), keys) for action in actions]


STS: dict[str, Row] = {"AssumeRole": _assume_role}
