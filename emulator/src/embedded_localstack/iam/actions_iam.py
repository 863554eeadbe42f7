"""Permissions that operations of IAM need. Those for operations on roles are in actions_deploy.py.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from embedded_localstack.iam.request import Keys, Request, Resource, Row, each, needs, request_tags, text


def _named(kind: str, parameter: str) -> Resource:
    """Return a resource for operations that name an entity. Operations that create the entity also give its path."""

    def resource(request: Request) -> str:
        path = text(request.params.get("Path")) or "/"
        return f"arn:aws:iam::{request.account}:{kind}{path}{text(request.params.get(parameter)) or '*'}"

    return resource


def _at(parameter: str) -> Resource:
    return lambda request: text(request.params.get(parameter)) or "*"


def _keys(request: Request) -> Keys:
    """Return the condition keys for the permissions boundary, the policy and the tags in a request."""
    params = request.params
    names = {"iam:permissionsboundary": "PermissionsBoundary", "iam:policyarn": "PolicyArn"}
    keys = {key: text(params[name]) for key, name in names.items() if params.get(name)}
    return keys | request_tags(params.get("Tags"))


def _rows(operations: str, resource: Resource) -> dict[str, Row]:
    return {operation: needs(f"iam:{operation}", resource, _keys) for operation in operations.split()}


def _new_provider(request: Request) -> str:
    host = text(request.params.get("Url")).removeprefix("https://")
    return f"arn:aws:iam::{request.account}:oidc-provider/{host}"


def _linked_role(request: Request) -> str:
    service = text(request.params.get("AWSServiceName"))
    return f"arn:aws:iam::{request.account}:role/aws-service-role/{service}/*"


def _service(request: Request) -> Keys:
    return {"iam:awsservicename": text(request.params.get("AWSServiceName"))}


IAM: dict[str, Row] = (
    _rows("DeleteRolePermissionsBoundary PutRolePermissionsBoundary", _named("role", "RoleName"))
    | {"CreateServiceLinkedRole": needs("iam:CreateServiceLinkedRole", _linked_role, _service)}
    | _rows(
        "AttachUserPolicy CreateAccessKey CreateLoginProfile CreateUser DeleteAccessKey DeleteLoginProfile DeleteUser "
        "DeleteUserPermissionsBoundary DeleteUserPolicy DetachUserPolicy GetLoginProfile GetUser GetUserPolicy "
        "ListAccessKeys ListAttachedUserPolicies ListGroupsForUser ListUserPolicies ListUserTags "
        "PutUserPermissionsBoundary PutUserPolicy TagUser UntagUser UpdateAccessKey UpdateLoginProfile UpdateUser",
        _named("user", "UserName"),
    )
    | _rows(
        "AddUserToGroup AttachGroupPolicy CreateGroup DeleteGroup DeleteGroupPolicy DetachGroupPolicy GetGroup "
        "GetGroupPolicy ListAttachedGroupPolicies ListGroupPolicies PutGroupPolicy RemoveUserFromGroup UpdateGroup",
        _named("group", "GroupName"),
    )
    | _rows("CreatePolicy", _named("policy", "PolicyName"))
    | _rows(
        "CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion ListEntitiesForPolicy "
        "ListPolicyTags ListPolicyVersions SetDefaultPolicyVersion TagPolicy UntagPolicy",
        _at("PolicyArn"),
    )
    | _rows(
        "AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile "
        "ListInstanceProfileTags RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile",
        _named("instance-profile", "InstanceProfileName"),
    )
    | _rows("CreateOpenIDConnectProvider", _new_provider)
    | _rows(
        "AddClientIDToOpenIDConnectProvider DeleteOpenIDConnectProvider GetOpenIDConnectProvider "
        "ListOpenIDConnectProviderTags RemoveClientIDFromOpenIDConnectProvider TagOpenIDConnectProvider "
        "UntagOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint",
        _at("OpenIDConnectProviderArn"),
    )
    | each("iam", ["GetContextKeysForPrincipalPolicy", "SimulatePrincipalPolicy"], _at("PolicySourceArn"))
)
