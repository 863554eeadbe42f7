"""Permissions for the operations of a deployment that the tables in the other modules do not cover.

They matter only for a deployer that assumes a role. LocalStack's default credentials may do everything.
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

from embedded_localstack.iam.request import Check, Request, Row, anything, each, needs, text

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
    "ses": each("ses", ["DeleteIdentity"], anything),
}
