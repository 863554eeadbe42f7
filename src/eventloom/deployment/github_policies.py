"""Define the rights of a delivery pipeline's roles. One role plans an environment, another one applies the plan.

Both roles are limited to resources with the environment's names. Some ARNs contain ids instead of names, such as those
of API Gateway, and some actions support no resources. These rights are limited to the account and the region.
Source of actions and resources: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import json
from typing import Any

from eventloom.deployment.github_rights import Rights, Scope, Statement
from eventloom.deployment.github_switches import SWITCHED
from eventloom.deployment.state_bucket import KEY, PLANS

# IAM does not count white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MAX_POLICY_CHARACTERS = 6144

_BUCKET = "arn:{p}:s3:::eventloom-state-{a}-{r}"
_BUCKETS = "arn:{p}:s3:::eventloom-state-{a}-*"  # `plan` looks for the environment in other regions.
_LOGS_POLICY = "arn:{p}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
_API = "arn:{p}:apigateway:{r}::"
STATE = (
    Rights(
        "StateBuckets",
        _BUCKETS,
        "s3:GetBucketPolicy s3:GetBucketPublicAccessBlock s3:GetBucketVersioning s3:GetEncryptionConfiguration "
        "s3:GetLifecycleConfiguration s3:ListBucket",
    ),
    Rights("BucketNames", "*", "s3:ListAllMyBuckets"),
    Rights(
        "State",
        f"{_BUCKETS}/env:/{{e}}/* {_BUCKETS}/{KEY} {_BUCKET}/interrupted/{{e}}.json",
        "s3:GetObject",
    ),
    Rights(
        "WriteState", f"{_BUCKET}/env:/{{e}}/* {_BUCKET}/interrupted/{{e}}.json", "", "s3:DeleteObject s3:PutObject"
    ),
    Rights("Lock", f"{_BUCKET}/env:/{{e}}/{KEY}.tflock", "s3:DeleteObject s3:PutObject"),
    Rights("WaitingPlan", f"{_BUCKET}/{PLANS}*/{{e}}.tfplan", "", "s3:GetObjectVersion"),
)
SEND_PLAN = Rights("SendPlan", f"{_BUCKET}/{PLANS}*/{{e}}.tfplan", "s3:PutObject")

RESOURCES = (
    Rights(
        "Functions",
        "arn:{p}:lambda:{r}:{a}:function:{n}-*",
        "lambda:GetAlias lambda:GetFunction lambda:GetFunctionCodeSigningConfig lambda:GetFunctionConcurrency "
        "lambda:GetFunctionConfiguration lambda:GetFunctionEventInvokeConfig lambda:GetFunctionUrlConfig "
        "lambda:GetPolicy lambda:GetProvisionedConcurrencyConfig lambda:ListTags lambda:ListVersionsByFunction",
        "lambda:AddPermission lambda:CreateAlias lambda:CreateFunction lambda:CreateFunctionUrlConfig "
        "lambda:DeleteAlias lambda:DeleteFunction lambda:DeleteFunctionConcurrency "
        "lambda:DeleteFunctionEventInvokeConfig lambda:DeleteFunctionUrlConfig "
        "lambda:DeleteProvisionedConcurrencyConfig lambda:PublishVersion lambda:PutFunctionConcurrency "
        "lambda:PutFunctionEventInvokeConfig lambda:PutProvisionedConcurrencyConfig lambda:RemovePermission "
        "lambda:TagResource lambda:UntagResource lambda:UpdateAlias lambda:UpdateFunctionCode "
        "lambda:UpdateFunctionConfiguration lambda:UpdateFunctionEventInvokeConfig lambda:UpdateFunctionUrlConfig",
    ),
    Rights(
        "Mappings",
        "*",
        "",
        "lambda:CreateEventSourceMapping lambda:DeleteEventSourceMapping lambda:UpdateEventSourceMapping",
        {"ArnLike": {"lambda:FunctionArn": "arn:{p}:lambda:{r}:{a}:function:{n}-*"}},
    ),
    Rights(
        "MappingIds",
        "arn:{p}:lambda:{r}:{a}:event-source-mapping:*",
        "lambda:GetEventSourceMapping lambda:ListTags",
        "lambda:TagResource lambda:UntagResource",
    ),
    Rights(
        "Roles",
        "arn:{p}:iam::{a}:role{t}{n}-*",
        "iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListInstanceProfilesForRole "
        "iam:ListRolePolicies",
        "iam:DeleteRole iam:DeleteRolePolicy iam:TagRole iam:UntagRole iam:UpdateAssumeRolePolicy iam:UpdateRole "
        "iam:UpdateRoleDescription",
    ),
    Rights(
        "PassRoles",
        "arn:{p}:iam::{a}:role{t}{n}-*",
        "",
        "iam:PassRole",
        {
            "StringEquals": {
                "iam:PassedToService": ["apigateway.amazonaws.com", "lambda.amazonaws.com", "states.amazonaws.com"]
            }
        },
    ),
    # The condition prevents the role from attaching another managed policy, such as AdministratorAccess.
    Rights(
        "AttachLogsPolicy",
        "arn:{p}:iam::{a}:role{t}{n}-*",
        "",
        "iam:AttachRolePolicy iam:DetachRolePolicy",
        {"ArnEquals": {"iam:PolicyARN": _LOGS_POLICY}},
    ),
    Rights(
        "Buckets",
        "arn:{p}:s3:::{n}-*",
        "s3:GetAccelerateConfiguration s3:GetBucketAcl s3:GetBucketCORS s3:GetBucketLogging s3:GetBucketNotification "
        "s3:GetBucketObjectLockConfiguration s3:GetBucketOwnershipControls s3:GetBucketPolicy "
        "s3:GetBucketPublicAccessBlock s3:GetBucketRequestPayment s3:GetBucketTagging s3:GetBucketVersioning "
        "s3:GetBucketWebsite s3:GetEncryptionConfiguration s3:GetLifecycleConfiguration "
        "s3:GetReplicationConfiguration s3:ListBucket",
        "s3:CreateBucket s3:DeleteBucket s3:DeleteBucketPolicy s3:ListBucketVersions s3:PutBucketCORS "
        "s3:PutBucketNotification s3:PutBucketOwnershipControls s3:PutBucketPolicy s3:PutBucketPublicAccessBlock "
        "s3:PutBucketTagging s3:PutBucketVersioning s3:PutEncryptionConfiguration s3:PutLifecycleConfiguration",
    ),
    Rights("EmptyBuckets", "arn:{p}:s3:::{n}-*/*", "", "s3:DeleteObject s3:DeleteObjectVersion"),
    Rights(
        "Tables",
        "arn:{p}:dynamodb:{r}:{a}:table/{n}-*",
        "dynamodb:DescribeContinuousBackups dynamodb:DescribeTable dynamodb:DescribeTimeToLive "
        "dynamodb:ListTagsOfResource",
        "dynamodb:CreateTable dynamodb:DeleteTable dynamodb:TagResource dynamodb:UntagResource "
        "dynamodb:UpdateContinuousBackups dynamodb:UpdateTable dynamodb:UpdateTimeToLive",
    ),
    Rights(
        "Streams",
        "arn:{p}:kinesis:{r}:{a}:stream/{n}-*",
        "kinesis:DescribeStreamSummary kinesis:ListTagsForStream",
        "kinesis:AddTagsToStream kinesis:CreateStream kinesis:DecreaseStreamRetentionPeriod kinesis:DeleteStream "
        "kinesis:IncreaseStreamRetentionPeriod kinesis:RemoveTagsFromStream kinesis:StartStreamEncryption "
        "kinesis:StopStreamEncryption",
    ),
    Rights(
        "Queues",
        "arn:{p}:sqs:{r}:{a}:{n}-*",
        "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ListQueueTags",
        "sqs:CreateQueue sqs:DeleteQueue sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue",
    ),
    Rights(
        "Topics",
        "arn:{p}:sns:{r}:{a}:{n}-*",
        "sns:GetTopicAttributes sns:ListSubscriptionsByTopic sns:ListTagsForResource",
        "sns:CreateTopic sns:DeleteTopic sns:SetTopicAttributes sns:Subscribe sns:TagResource sns:UntagResource",
    ),
    Rights(
        "Rules",
        "arn:{p}:events:{r}:{a}:event-bus/{n}-* arn:{p}:events:{r}:{a}:rule/{n}-*",
        "events:DescribeEventBus events:DescribeRule events:ListTagsForResource events:ListTargetsByRule",
        "events:CreateEventBus events:DeleteEventBus events:DeleteRule events:DisableRule events:EnableRule "
        "events:PutRule events:PutTargets events:RemoveTargets events:TagResource events:UntagResource",
    ),
    Rights(
        "Alarms",
        "arn:{p}:cloudwatch:{r}:{a}:alarm:{n}-* arn:{p}:cloudwatch::{a}:dashboard/{n}",
        "cloudwatch:DescribeAlarms cloudwatch:GetDashboard cloudwatch:ListTagsForResource",
        "cloudwatch:DeleteAlarms cloudwatch:DeleteDashboards cloudwatch:PutDashboard cloudwatch:PutMetricAlarm "
        "cloudwatch:TagResource cloudwatch:UntagResource",
    ),
    Rights(
        "LogGroups",
        "arn:{p}:logs:{r}:{a}:log-group:/aws/lambda/{n}-* arn:{p}:logs:{r}:{a}:log-group:/aws/apigateway/{n}-*",
        "logs:ListTagsForResource",
        "logs:CreateLogGroup logs:DeleteLogGroup logs:DeleteRetentionPolicy logs:PutRetentionPolicy logs:TagResource "
        "logs:UntagResource",
    ),
    Rights(
        "Apis",
        " ".join(
            f"{_API}{path}"
            for path in (
                "/account",
                "/apikeys",
                "/apikeys/*",
                "/restapis",
                "/restapis/*",
                "/tags/*",
                "/usageplans",
                "/usageplans/*",
            )
        ),
        "apigateway:GET",
        "apigateway:DELETE apigateway:PATCH apigateway:POST apigateway:PUT",
    ),
    # Terraform looks up the key of the alias aws/dynamodb to compare it with a table's key.
    Rights("Keys", "arn:{p}:kms:{r}:{a}:key/*", "kms:DescribeKey"),
    # `preflight` needs the next two before a plan. Its other permissions are in WithoutNames.
    Rights("Identities", "arn:{p}:ses:{r}:{a}:identity/*", "ses:GetEmailIdentity"),
    Rights("ServiceLinkedRoles", "arn:{p}:iam::{a}:role/aws-service-role/*", "iam:GetRole"),
    Rights(
        "WithoutNames",
        "*",
        "iam:GetAccountSummary kinesis:DescribeLimits lambda:GetAccountSettings "
        "logs:DescribeLogGroups servicequotas:GetServiceQuota ses:GetAccount ses:GetIdentityVerificationAttributes "
        "ses:GetSendQuota sns:GetSubscriptionAttributes states:ValidateStateMachineDefinition",
        "kinesis:UpdateShardCount kinesis:UpdateStreamMode ses:DeleteIdentity ses:VerifyEmailIdentity "
        "sns:SetSubscriptionAttributes sns:Unsubscribe",
    ),
)
_GUARDED_ROLES = "iam:CreateRole iam:PutRolePolicy"


def plan_statements(scope: Scope) -> list[Statement]:
    """Return the statements of the planning role: it reads the environment, locks its state, and sends a plan."""
    statements = [rights.statement(scope, writes=False) for rights in (*STATE, SEND_PLAN, *RESOURCES, *SWITCHED)]
    return [statement for statement in statements if statement]


def deploy_statements(scope: Scope) -> list[Statement]:
    """Return the statements of the deploying role: it fetches a plan, and changes resources of the environment."""
    boundary = {"StringEquals": {"iam:PermissionsBoundary": scope.boundary}} if scope.boundary else {}
    actions = f"{_GUARDED_ROLES} iam:PutRolePermissionsBoundary" if scope.boundary else _GUARDED_ROLES
    new_roles = Rights("NewRoles", "arn:{p}:iam::{a}:role{t}{n}-*", "", actions, boundary)
    statements = [rights.statement(scope, writes=True) for rights in (*STATE, *RESOURCES, *SWITCHED, new_roles)]
    return [statement for statement in statements if statement]


def documents(statements: list[Statement]) -> list[dict[str, Any]]:
    """Distribute the statements over policy documents. No document is longer than a managed policy may be."""
    parts: list[list[Statement]] = [[]]
    for statement in statements:
        if len(_text([*parts[-1], statement])) > MAX_POLICY_CHARACTERS:
            parts.append([])
        parts[-1].append(statement)
    return [json.loads(_text(part)) for part in parts]


def _text(statements: list[Statement]) -> str:
    """Return a policy document without white space."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
