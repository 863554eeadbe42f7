"""Test how older versions of an object are restored."""

import pytest
from botocore.exceptions import ClientError

from support import Cloud

KEY = "env:/prod/état 1.json"


def test_a_copy_of_an_older_version_to_its_own_key_restores_it(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    first = cloud.s3.put_object(Bucket=name, Key=KEY, Body=b"first", Metadata={"a": "b"})["VersionId"]
    cloud.s3.put_object(Bucket=name, Key=KEY, Body=b"second")
    with pytest.raises(ClientError, match="trying to copy an object to itself"):
        cloud.s3.copy_object(Bucket=name, Key=KEY, CopySource={"Bucket": name, "Key": KEY})
    cloud.s3.copy_object(Bucket=name, Key=KEY, CopySource={"Bucket": name, "Key": KEY, "VersionId": first})
    restored = cloud.s3.get_object(Bucket=name, Key=KEY)
    assert (restored["Body"].read(), restored["Metadata"]) == (b"first", {"a": "b"})
    assert len(cloud.s3.list_object_versions(Bucket=name)["Versions"]) == 3
