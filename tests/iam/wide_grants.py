"""The grants that are wider than the recorded requests need, with the reasons."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.iam.proof import Grant


@dataclass(frozen=True)
class WideGrant:
    """A reason why a narrower grant is not better. All fields except the reason are patterns with wildcards.

    `block` matches the address without indexes, `grant` matches "ACTION on RESOURCE", and `narrower` matches the
    narrower statement that the judge suggests.
    """

    block: str
    grant: str
    narrower: str
    reason: str

    def is_about(self, grant: Grant) -> bool:
        """Return whether the reason is about a grant."""
        return fnmatchcase(grant.document.block, self.block) and fnmatchcase(grant.what, self.grant)


WIDE_GRANTS: tuple[WideGrant, ...] = (
    WideGrant(
        "module.*.aws_iam_role_policy.logs",
        "logs:* on *",
        "only on *:log-stream:*",
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
        "AWS decides logs:CreateLogStream on the log group, whose ARN ends with :*",
    ),
    WideGrant(
        "aws_iam_role_policy.backfill",
        "s3:ListBucket on *",
        "only if s3:prefix is *",
        "the operator chooses the prefix of a backfill",
    ),
    WideGrant(
        "aws_sns_topic_policy.alarms",
        "sns:Publish on *",
        "only if aws:SourceArn is *:alarm:*",
        "each function of the environment has alarms, also those that are added to it later",
    ),
    WideGrant(
        "module.activity.aws_iam_role_policy.permissions",
        "dynamodb:* on *:table/*-activity",
        "only if dynamodb:LeadingKeys is *",
        "the table is this function's own, and holds nothing else",
    ),
    WideGrant(
        "module.catalog_api.aws_iam_role_policy.permissions",
        "s3:* on *-uploads-*",
        "only on *",
        "a photo may be uploaded to any folder, and is deleted and restored there",
    ),
    WideGrant(
        "module.catalog_api.aws_lambda_permission.api",
        "lambda:InvokeFunction on *",
        "only if AWS:SourceArn is *",
        "the API passes every method and path of its stage to the function",
    ),
    WideGrant(
        "module.probe.aws_lambda_permission.api",
        "lambda:InvokeFunction on *",
        "only if AWS:SourceArn is *",
        "the API passes every method and path of its stage to the function",
    ),
    WideGrant(
        "module.converter.aws_iam_role_policy.permissions",
        "s3:GetObject* on *-raw-*",
        "only on *",
        "users choose the folders of the raw bucket: each is a table",
    ),
    WideGrant(
        "module.*.aws_iam_role_policy.permissions",
        "s3:ListBucket on *",
        "only if s3:prefix is *",
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html describes the permission, but no prefix.
        "the permission turns 403 into 404 for a missing object, and AWS documents no prefix for that",
    ),
    WideGrant(
        "module.recoverer.aws_iam_role_policy.permissions",
        "dynamodb:* on *",
        "only if dynamodb:LeadingKeys is recoverer#*",
        "the prefix is this function's own, and the rest of the key names the rule's kind and target",
    ),
)


def reason_for(grant: Grant, narrower: str) -> WideGrant | None:
    """Return the reason why a grant may be wider than `narrower`, or None."""
    reasons = (reason for reason in WIDE_GRANTS if reason.is_about(grant) and fnmatchcase(narrower, reason.narrower))
    return next(reasons, None)
