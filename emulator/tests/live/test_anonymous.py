"""Test what a caller without a signature, or with a forged header, may do."""

import json

import pytest
import urllib3
from botocore.exceptions import ClientError

from every_service import client_of
from support import ACCOUNT, REGION, Cloud, policy, status

HTTP = urllib3.PoolManager()
OFF = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)


def for_everybody(bucket: str) -> str:
    arn = f"arn:aws:s3:::{bucket}/*"
    return policy({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": arn})


def with_block(cloud: Cloud, bucket: str, **on: bool) -> None:
    cloud.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**OFF, **on})


def query(cloud: Cloud, method: str, path: str, body: str = "") -> int:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"http://127.0.0.1:{cloud.home.port}{path}"
    return HTTP.request(method, url, body=body.encode(), headers=form).status


def test_queries_to_a_queue_are_anonymous_without_a_signature(cloud: Cloud, name: str):
    url, arn = cloud.queue(name)
    send = "Action=SendMessage&MessageBody=x"
    path = f"/{ACCOUNT}/{name}"
    requests = [
        ("GET", f"{path}?{send}", ""),
        ("POST", path, send),
        ("POST", "/", f"{send}&QueueUrl={url}&Version=2012-11-05"),
        ("GET", f"/queue/{REGION}{path}?Action=PurgeQueue", ""),
        ("GET", f"{path}?Action=DeleteQueue", ""),
    ]
    assert [query(cloud, *request) for request in requests] == [403] * len(requests)
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(allowed)})
    assert [query(cloud, *request) for request in requests] == [200, 200, 200, 403, 403]
    attributes = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "3"


def test_a_presigned_query_has_the_permissions_of_its_signer(cloud: Cloud, name: str):
    url, arn = cloud.queue(name)
    client = cloud.as_role("sqs", name, {"Effect": "Allow", "Action": "sqs:GetQueueUrl", "Resource": arn})
    presigned = client.generate_presigned_url("send_message", {"QueueUrl": url, "MessageBody": "x"})
    query_string = presigned.partition("?")[2]
    assert query(cloud, "GET", f"/{ACCOUNT}/{name}?Action=SendMessage&MessageBody=x&{query_string}") == 403


def test_a_website_shows_what_everybody_may_read(cloud: Cloud, name: str):
    bucket = name.lower()
    cloud.s3.create_bucket(Bucket=bucket)
    cloud.s3.put_object(Bucket=bucket, Key="index.html", Body=b"hello")
    website = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    cloud.s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=website)

    def get(path: str = "/") -> tuple[int, bytes]:
        host = {"Host": f"{bucket}.s3-website.localhost.localstack.cloud:{cloud.home.port}"}
        answer = HTTP.request("GET", f"http://127.0.0.1:{cloud.home.port}{path}", headers=host)
        return answer.status, answer.data

    assert get()[0] == 403
    with_block(cloud, bucket)
    cloud.s3.put_bucket_policy(Bucket=bucket, Policy=for_everybody(bucket))
    assert get() == (200, b"hello")
    assert get("/missing")[0] == 403, "who may not list a bucket does not learn that an object is missing"
    cloud.s3.put_object(Bucket=bucket, Key="error.html", Body=b"sorry")
    assert get("/missing") == (403, b"sorry")


def test_block_public_access(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.s3.put_object(Bucket=name, Key="k", Body=b"")
    url = f"http://127.0.0.1:{cloud.home.port}/{name}/k"
    with pytest.raises(ClientError, match="BlockPublicPolicy"):
        cloud.s3.put_bucket_policy(Bucket=name, Policy=for_everybody(name))
    with_block(cloud, name)
    cloud.s3.put_bucket_policy(Bucket=name, Policy=for_everybody(name))
    assert status(url) == 200
    with_block(cloud, name, RestrictPublicBuckets=True)
    assert status(url) == 403
    mine = cloud.as_role("s3", name)
    assert mine.get_object(Bucket=name, Key="k")["ContentLength"] == 0, "the bucket's own account may still read"


def test_block_public_access_of_the_account(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.s3.put_object(Bucket=name, Key="k", Body=b"")
    with_block(cloud, name)
    cloud.s3.put_bucket_policy(Bucket=name, Policy=for_everybody(name))
    url, control = f"http://127.0.0.1:{cloud.home.port}/{name}/k", client_of(cloud, "s3control")
    parts = {**OFF, "RestrictPublicBuckets": True, "BlockPublicPolicy": True}
    assert status(url) == 200
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=parts)
    try:
        assert control.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == parts
        assert status(url) == 403
        with pytest.raises(ClientError, match="BlockPublicPolicy"):
            cloud.s3.put_bucket_policy(Bucket=name, Policy=for_everybody(name))
    finally:
        control.delete_public_access_block(AccountId=ACCOUNT)
    assert status(url) == 200


def test_acls_count_in_a_bucket_that_has_them(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    with pytest.raises(ClientError, match="AccessControlListNotSupported"):
        cloud.s3.put_object(Bucket=name, Key="k", Body=b"", ACL="public-read")
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    cloud.s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls)
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.s3.put_object(Bucket=name, Key="k", Body=b"", ACL="public-read")
    with_block(cloud, name)
    cloud.s3.put_object(Bucket=name, Key="k", Body=b"", ACL="public-read")
    cloud.s3.put_object(Bucket=name, Key="private", Body=b"")
    url = f"http://127.0.0.1:{cloud.home.port}/{name}"
    assert (status(f"{url}/k"), status(f"{url}/private")) == (200, 403)
    with_block(cloud, name, IgnorePublicAcls=True)
    assert status(f"{url}/k") == 403


def test_an_internal_header_without_a_key_is_not_believed(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.s3.put_object(Bucket=name, Key="k", Body=b"")
    arn, service = f"arn:aws:s3:::{name}/*", {"Service": "delivery.logs.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": service, "Action": "s3:GetObject", "Resource": arn}
    cloud.s3.put_bucket_policy(Bucket=name, Policy=policy(statement))
    claim = json.dumps({"service_principal": "delivery.logs", "source_arn": "x"})
    assert status(f"http://127.0.0.1:{cloud.home.port}/{name}/k", **{"x-localstack-data": claim}) == 403
