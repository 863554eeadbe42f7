"""The judge notices a policy that is wider than the recorded requests need. Each test widens a deployed policy."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.iam import documents
from tests.iam.conftest import judge_of
from tests.iam.documents import Document, listed
from tests.iam.proof import Judge
from tests.iam.wide_grants import reason_for
from tests.integration import evidence

pytestmark = pytest.mark.timeout(3600)

type Statement = dict[str, Any]
PREFIX = "eventloom-local"
ACCOUNT = "000000000000"
PERMISSIONS = "module.{}.aws_iam_role_policy.permissions[0]"
UPLOADS_QUEUE = "module.uploads_queue.aws_sqs_queue.this"
UPLOADS = "module.uploads.aws_s3_bucket_policy.this"


@pytest.fixture(scope="session")
def deployed(judge: Judge) -> dict[str, Document]:
    """Return the deployed policy documents by address."""
    return {document.address: document for document in documents.policies(evidence.state("root"))}


def edited(document: Document, sid: str, edit: Callable[[Statement], Any]) -> Document:
    """Return a document with one statement edited."""
    policy = document.policy
    edit(next(statement for statement in policy["Statement"] if statement["Sid"] == sid))
    return Document(document.address, document.kind, document.owner, json.dumps(policy))


def too_wide(judge: Judge, document: Document) -> set[str]:
    """Return the narrower statements for those grants of a document that are too wide and have no reason."""
    all_grants = judge.judge_document(document)
    return {text for grant in all_grants for text in grant.wider_than if not reason_for(grant, text)}


def resource(arn: str) -> Callable[[Statement], None]:
    """Return an edit that sets the resource."""
    return lambda statement: statement.update(Resource=[arn])


def without_key(operator: str, key: str) -> Callable[[Statement], None]:
    """Return an edit that drops a key of a condition."""

    def edit(statement: Statement) -> None:
        del statement["Condition"][operator][key]
        if not statement["Condition"][operator]:
            del statement["Condition"][operator]

    return edit


# The address, the statement, the edit, and a part of the narrower statement that the judge suggests.
WIDENED: dict[str, tuple[str, str, Callable[[Statement], Any], str]] = {
    "all buckets of the environment": (
        PERMISSIONS.format("thumbnailer"),
        "ReadUploads",
        resource(f"arn:aws:s3:::{PREFIX}-*"),
        f"only on arn:aws:s3:::{PREFIX}-uploads-{ACCOUNT}/",
    ),
    "all topics of the environment": (
        PERMISSIONS.format("recoverer"),
        "Report",
        resource(f"arn:aws:sns:us-east-1:{ACCOUNT}:{PREFIX}-*"),
        f"only on arn:aws:sns:us-east-1:{ACCOUNT}:{PREFIX}-notices",
    ),
    "all queues of the environment": (
        PERMISSIONS.format("recoverer"),
        "RedriveTo",
        resource(f"arn:aws:sqs:us-east-1:{ACCOUNT}:{PREFIX}-*"),
        f"only on arn:aws:sqs:us-east-1:{ACCOUNT}:{PREFIX}-uploads",
    ),
    "a topic in all regions": (
        PERMISSIONS.format("recoverer"),
        "Report",
        resource(f"arn:aws:sns:*:{ACCOUNT}:{PREFIX}-notices"),
        f"only on arn:aws:sns:us-east-1:{ACCOUNT}:{PREFIX}-notices",
    ),
    "the bucket instead of two folders": (
        PERMISSIONS.format("converter"),
        "ReadState",
        resource(f"arn:aws:s3:::{PREFIX}-analytics-{ACCOUNT}/*"),
        f"only on arn:aws:s3:::{PREFIX}-analytics-{ACCOUNT}/_manifests/* or ",
    ),
    "mail from any sender": (
        PERMISSIONS.format("digest"),
        "SendMail",
        without_key("StringEquals", "ses:FromAddress"),
        "only if ses:FromAddress is ",
    ),
    "mail from any sender of a domain": (
        PERMISSIONS.format("digest"),
        "SendMail",
        lambda statement: statement.update(Condition={"StringLike": {"ses:FromAddress": "*@example.com"}}),
        "only if ses:FromAddress is eventloom@example.com",
    ),
    "all items of the state table": (
        PERMISSIONS.format("catalog_api"),
        "KeepReports",
        without_key("ForAllValues:StringLike", "dynamodb:LeadingKeys"),
        "only if dynamodb:LeadingKeys is report#",
    ),
    "a queue for a bucket of any account": (
        UPLOADS_QUEUE,
        "SendUploadsBucket",
        without_key("StringEquals", "aws:SourceAccount"),
        f"only if aws:SourceAccount is {ACCOUNT}",
    ),
    "a queue for any bucket of the account": (
        UPLOADS_QUEUE,
        "SendUploadsBucket",
        without_key("ArnEquals", "aws:SourceArn"),
        f"only if aws:SourceArn is arn:aws:s3:::{PREFIX}-uploads-{ACCOUNT}",
    ),
    "an account that may be missing": (
        UPLOADS_QUEUE,
        "SendUploadsBucket",
        lambda statement: statement["Condition"].update(
            {"StringEqualsIfExists": statement["Condition"].pop("StringEquals")}
        ),
        "with StringEquals",
    ),
    "a function for a bucket of any account": (
        'module.converter.aws_lambda_permission.s3["raw"]',
        "s3-raw",
        without_key("StringEquals", "AWS:SourceAccount"),
        f"only if aws:SourceAccount is {ACCOUNT}",
    ),
    "a function for all buckets of the environment": (
        'module.converter.aws_lambda_permission.s3["raw"]',
        "s3-raw",
        lambda statement: statement["Condition"].update(ArnLike={"AWS:SourceArn": f"arn:aws:s3:::{PREFIX}-*"}),
        f"only if AWS:SourceArn is arn:aws:s3:::{PREFIX}-raw-{ACCOUNT}",
    ),
}


@pytest.mark.parametrize("name", WIDENED)
def test_a_wider_statement_is_noticed(name: str, judge: Judge, deployed: dict[str, Document]) -> None:
    address, sid, edit, sufficient = WIDENED[name]
    document = deployed[address]
    narrower = too_wide(judge, edited(document, sid, edit)) - too_wide(judge, document)
    assert any(text.startswith(sufficient) for text in narrower), narrower


HALVED: dict[str, tuple[str, Callable[[Statement], Any], str]] = {
    "without the objects of a bucket": (
        UPLOADS,
        lambda statement: statement.update(Resource=listed(statement["Resource"])[:1]),
        "s3:GetObject on ",
    ),
    "without the bucket itself": (
        UPLOADS,
        lambda statement: statement.update(Resource=listed(statement["Resource"])[1:]),
        "s3:ListBucket on ",
    ),
    "only for writing": (UPLOADS, lambda statement: statement.update(Action="s3:PutObject"), "s3:GetObject on "),
    "only for sending": (
        UPLOADS_QUEUE,
        lambda statement: statement.update(Action="sqs:SendMessage"),
        "sqs:ReceiveMessage on ",
    ),
    "in one folder": (
        UPLOADS,
        lambda statement: statement.update(Resource=[f"{arn}/web/*" for arn in listed(statement["Resource"])[:1]]),
        "s3:GetObject on ",
    ),
}


@pytest.mark.parametrize("name", HALVED)
def test_a_deny_that_lets_some_requests_without_tls_pass_is_noticed(
    name: str, judge: Judge, deployed: dict[str, Document]
) -> None:
    address, edit, request = HALVED[name]
    assert judge.plain_http_faults(deployed[address]) == []
    faults = judge.plain_http_faults(edited(deployed[address], "OnlyTls", edit))
    assert any(fault.startswith(request) and fault.endswith("is allowed without TLS") for fault in faults), faults


def test_a_deny_without_a_condition_is_noticed(judge: Judge, deployed: dict[str, Document]) -> None:
    faults = judge.plain_http_faults(edited(deployed[UPLOADS], "OnlyTls", lambda statement: statement.pop("Condition")))
    assert any(fault.endswith("is denied with TLS") for fault in faults), faults


@pytest.mark.parametrize(
    ("attribute", "value", "grant"),
    [
        (
            "inline_policy",
            [
                {
                    "name": "more",
                    "policy": json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}),
                }
            ],
            "s3:* on *",
        ),
        ("managed_policy_arns", ["arn:aws:iam::aws:policy/AdministratorAccess"], "is attached"),
    ],
)
def test_a_policy_in_an_attribute_of_a_role_needs_a_test_or_a_reason(
    attribute: str, value: Any, grant: str, judge: Judge
) -> None:
    root = copy.deepcopy(evidence.state("root"))
    address = "module.thumbnailer.aws_iam_role.this"
    next(entry for entry in documents.resources(root) if entry["address"] == address)["values"][attribute] = value
    before = {document.address for document in documents.policies(evidence.state("root"))}
    (added,) = [document for document in documents.policies(root) if document.address not in before]
    assert added.owner == f"{PREFIX}-thumbnailer"
    (judged,) = judge.judge_document(added)
    assert (judged.what, judged.meanwhile, judged.reason) == (grant, [], None)


def test_a_managed_policy_hides_no_need_for_another_grant(deployed: dict[str, Document], judge: Judge) -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    attached = documents.managed("aws_iam_role_policy_attachment.more", f"{PREFIX}-thumbnailer", arn)
    document = deployed[PERMISSIONS.format("thumbnailer")]
    needed = {grant.what for grant in judge.judge_document(document) if grant.missed_by}
    more = judge_of([*deployed.values(), attached])
    assert {grant.what for grant in more.judge_document(document) if grant.missed_by} == needed
