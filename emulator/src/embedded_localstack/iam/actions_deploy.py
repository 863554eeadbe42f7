"""Permissions that the operations of a deployment need, for the services that no other table has, and additions.

They matter for a deployer that assumes a role; LocalStack's own credentials may do everything.
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

import re
from urllib.parse import quote

from embedded_localstack.iam.request import Check, Request, Row, anything, each, needs, text

# -- API Gateway: actions are HTTP methods, and resources are paths.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html

_VERBS = {"Get": "GET", "Create": "POST", "Put": "PUT", "Update": "PATCH", "Delete": "DELETE"}
# The path of each kind of resource. An optional last part is absent for a collection.
_PATHS = {
    "Account": "/account",
    "ApiKey": "/apikeys/{apiKey}",
    "Authorizer": "/restapis/{restApiId}/authorizers/{authorizerId}",
    "Deployment": "/restapis/{restApiId}/deployments/{deploymentId}",
    "GatewayResponse": "/restapis/{restApiId}/gatewayresponses/{responseType}",
    "Integration": "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration",
    "Method": "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}",
    "Resource": "/restapis/{restApiId}/resources/{resourceId}",
    "RestApi": "/restapis/{restApiId}",
    "Stage": "/restapis/{restApiId}/stages/{stageName}",
    "UsagePlan": "/usageplans/{usagePlanId}",
    "UsagePlanKey": "/usageplans/{usagePlanId}/keys/{keyId}",
}


def _api_row(verb: str, path: str) -> Row:
    def row(request: Request) -> list[Check]:
        params = request.params
        if arn := params.get("ResourceArn"):
            params = {**params, "ResourceArn": quote(text(arn), safe="")}
        filled = re.sub(r"\{(\w+)\}", lambda part: text(params.get(part[1])), path)
        arn = f"arn:aws:apigateway:{request.region}::{filled.rstrip('/')}"
        return [Check(f"apigateway:{verb}", arn)]

    return row


def _create_path(path: str) -> str:
    """Return the path of the collection, or for a resource of an API the path of its parent, which POST names."""
    return "/restapis/{restApiId}/resources/{parentId}" if path == _PATHS["Resource"] else path.rpartition("/")[0]


APIGATEWAY: dict[str, Row] = {
    f"{verb}{kind}": _api_row(method, _create_path(path) if verb == "Create" else path)
    for verb, method in _VERBS.items()
    for kind, path in _PATHS.items()
} | {
    f"Get{kind}s": _api_row("GET", _PATHS[kind].rpartition("/")[0])
    for kind in ("ApiKey", "Authorizer", "Deployment", "Resource", "RestApi", "Stage", "UsagePlan", "UsagePlanKey")
}

# HTTP APIs have the same actions on paths of their own, and other names of parameters.
_PATHS_V2 = {
    "Api": "/apis/{ApiId}",
    "Authorizer": "/apis/{ApiId}/authorizers/{AuthorizerId}",
    "Deployment": "/apis/{ApiId}/deployments/{DeploymentId}",
    "Integration": "/apis/{ApiId}/integrations/{IntegrationId}",
    "Model": "/apis/{ApiId}/models/{ModelId}",
    "Route": "/apis/{ApiId}/routes/{RouteId}",
    "Stage": "/apis/{ApiId}/stages/{StageName}",
}
APIGATEWAYV2: dict[str, Row] = {
    **{
        f"{verb}{kind}": _api_row(method, path.rpartition("/")[0] if verb == "Create" else path)
        for verb, method in _VERBS.items()
        if verb != "Put"
        for kind, path in _PATHS_V2.items()
    },
    **{f"Get{kind}s": _api_row("GET", path.rpartition("/")[0]) for kind, path in _PATHS_V2.items()},
    "DeleteAccessLogSettings": _api_row("DELETE", "/apis/{ApiId}/stages/{StageName}/accesslogsettings"),
    "DeleteCorsConfiguration": _api_row("DELETE", "/apis/{ApiId}/cors"),
    "DeleteRouteRequestParameter": _api_row(
        "DELETE", "/apis/{ApiId}/routes/{RouteId}/requestparameters/{RequestParameterKey}"
    ),
    "DeleteRouteSettings": _api_row("DELETE", "/apis/{ApiId}/stages/{StageName}/routesettings/{RouteKey}"),
    "GetTags": _api_row("GET", "/tags/{ResourceArn}"),
    "ImportApi": _api_row("PUT", "/apis"),
    "ReimportApi": _api_row("PUT", "/apis/{ApiId}"),
    "ResetAuthorizersCache": _api_row("DELETE", "/apis/{ApiId}/stages/{StageName}/cache/authorizers"),
    "TagResource": _api_row("POST", "/tags/{ResourceArn}"),
    "UntagResource": _api_row("DELETE", "/tags/{ResourceArn}"),
}

# -- Cognito: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitouserpools.html


def _user_pool(request: Request) -> str:
    params = request.params
    return text(params.get("ResourceArn")) or request.arn("cognito-idp", f"userpool/{text(params.get('UserPoolId'))}")


COGNITO: dict[str, Row] = each(
    "cognito-idp",
    (
        "AddCustomAttributes AdminAddUserToGroup AdminConfirmSignUp AdminCreateUser AdminDeleteUser "
        "AdminDeleteUserAttributes AdminDisableProviderForUser AdminDisableUser AdminEnableUser AdminForgetDevice "
        "AdminGetDevice AdminGetUser AdminInitiateAuth AdminLinkProviderForUser AdminListDevices "
        "AdminListGroupsForUser AdminListUserAuthEvents AdminRemoveUserFromGroup AdminResetUserPassword "
        "AdminRespondToAuthChallenge AdminSetUserMFAPreference AdminSetUserPassword AdminSetUserSettings "
        "AdminUpdateAuthEventFeedback AdminUpdateDeviceStatus AdminUpdateUserAttributes AdminUserGlobalSignOut "
        "CreateGroup CreateIdentityProvider CreateResourceServer CreateUserImportJob CreateUserPoolClient "
        "CreateUserPoolDomain DeleteGroup DeleteIdentityProvider DeleteResourceServer DeleteUserPool "
        "DeleteUserPoolClient DeleteUserPoolDomain DescribeIdentityProvider DescribeResourceServer "
        "DescribeRiskConfiguration DescribeUserImportJob DescribeUserPool DescribeUserPoolClient GetCSVHeader "
        "GetGroup GetIdentityProviderByIdentifier GetLogDeliveryConfiguration GetSigningCertificate "
        "GetUICustomization GetUserPoolMfaConfig ListGroups ListIdentityProviders ListResourceServers "
        "ListTagsForResource ListUserImportJobs ListUserPoolClients ListUsers ListUsersInGroup "
        "SetLogDeliveryConfiguration SetRiskConfiguration SetUICustomization SetUserPoolMfaConfig "
        "StartUserImportJob StopUserImportJob TagResource UntagResource UpdateGroup UpdateIdentityProvider "
        "UpdateResourceServer UpdateUserPool UpdateUserPoolClient UpdateUserPoolDomain"
    ).split(),
    _user_pool,
) | each("cognito-idp", ["CreateUserPool", "DescribeUserPoolDomain", "ListUserPools"], anything)

# -- IAM


def _role(request: Request) -> str:
    path = text(request.params.get("Path")) or "/"
    return f"arn:aws:iam::{request.account}:role{path}{request.params.get('RoleName') or '*'}"


def _role_keys(request: Request) -> dict[str, str]:
    """Return the condition keys of a change to a role."""
    names = {"iam:permissionsboundary": "PermissionsBoundary", "iam:policyarn": "PolicyArn"}
    return {key: text(request.params[name]) for key, name in names.items() if request.params.get(name)}


IAM: dict[str, Row] = each(
    "iam",
    (
        "DeleteRole DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole "
        "ListRolePolicies ListRoleTags PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
        "UpdateRoleDescription"
    ).split(),
    _role,
) | {
    operation: needs(f"iam:{operation}", _role, _role_keys)
    for operation in ("AttachRolePolicy", "CreateRole", "DetachRolePolicy")
}

# -- Additions to other tables


def _tagged(request: Request) -> str:
    return text(request.params.get("ResourceARN")) or "*"


def _dashboards(request: Request) -> list[Check]:
    names = request.params.get("DashboardNames") or [request.params.get("DashboardName") or "*"]
    arn = f"arn:aws:cloudwatch::{request.account}:dashboard/"
    return [Check(f"cloudwatch:{request.operation}", f"{arn}{name}") for name in names]


def _table(request: Request) -> str:
    name = text(request.params.get("TableName"))
    return text(request.params.get("ResourceArn")) or request.arn("dynamodb", f"table/{name}")


def _stream(request: Request) -> str:
    return text(request.params.get("StreamARN")) or request.arn("kinesis", f"stream/{request.params.get('StreamName')}")


def _function(request: Request) -> str:
    return text(request.params.get("Resource")) or request.arn(
        "lambda", f"function:{text(request.params.get('FunctionName')).rpartition(':function:')[2]}"
    )


def _bucket(request: Request) -> str:
    return f"arn:aws:s3:::{request.params.get('Bucket') or '*'}"


def _s3(actions: dict[str, str]) -> dict[str, Row]:
    return {operation: needs(f"s3:{action}", _bucket) for operation, action in actions.items()}


ADDITIONS: dict[str, dict[str, Row]] = {
    "cloudwatch": {name: _dashboards for name in ("GetDashboard", "PutDashboard", "DeleteDashboards")}
    | each("cloudwatch", ["ListTagsForResource", "TagResource", "UntagResource"], _tagged),
    "dynamodb": each(
        "dynamodb",
        "ListTagsOfResource TagResource UntagResource UpdateContinuousBackups UpdateTimeToLive".split(),
        _table,
    ),
    "events": each("events", ["ListTagsForResource", "TagResource", "UntagResource"], _tagged),
    "kinesis": each(
        "kinesis",
        (
            "AddTagsToStream DecreaseStreamRetentionPeriod IncreaseStreamRetentionPeriod RemoveTagsFromStream "
            "StartStreamEncryption StopStreamEncryption"
        ).split(),
        _stream,
    ),
    "lambda": each(
        "lambda",
        "DeleteFunctionEventInvokeConfig GetFunctionCodeSigningConfig ListTags TagResource UntagResource".split(),
        _function,
    ),
    # An operation that removes a setting needs the action that puts it.
    "s3": _s3(
        {
            "DeleteBucketCors": "PutBucketCORS",
            "DeleteBucketEncryption": "PutEncryptionConfiguration",
            "DeleteBucketLifecycle": "PutLifecycleConfiguration",
            "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
            "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
            "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
            "GetBucketAcl": "GetBucketAcl",
            "GetBucketLogging": "GetBucketLogging",
            "GetBucketOwnershipControls": "GetBucketOwnershipControls",
            "GetBucketReplication": "GetReplicationConfiguration",
            "GetBucketRequestPayment": "GetBucketRequestPayment",
            "GetBucketWebsite": "GetBucketWebsite",
            "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
            "PutBucketOwnershipControls": "PutBucketOwnershipControls",
        }
    ),
    "ses": each("ses", ["DeleteIdentity"], anything),
}
