"""The Terraform of docs/how-to/use-your-own-domain.md gives an API a domain in an existing hosted zone."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventloom import clouds
from eventloom.clouds import ROOT, client
from tests.documented import FENCE

PAGE = ROOT / "docs" / "how-to" / "use-your-own-domain.md"
# The parts of other files that the page's file refers to
BESIDE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

module "api" {
  source = "./api"
}
"""
API = """
output "id" {
  value = "abcdefghij"
}

output "stage" {
  value = "v1"
}
"""
# Only the owner of example.com may add records to it on AWS.
pytestmark = pytest.mark.needs("disposable")


def terraform(folder: Path, *arguments: str) -> str:
    """Run Terraform in a folder, and return what it prints."""
    process = subprocess.run(
        ["terraform", f"-chdir={folder}", *arguments],
        env=clouds.chosen_cloud().environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture
def zone(cloud: clouds.Cloud) -> Iterator[None]:
    """Create the hosted zone that the page assumes, and delete it afterwards."""
    assert cloud.endpoint
    created = client("route53").create_hosted_zone(Name="example.com", CallerReference="own-domain")["HostedZone"]
    yield
    client("route53").delete_hosted_zone(Id=created["Id"])


@pytest.mark.usefixtures("zone")
def test_the_pages_terraform_plans_a_domain_for_the_api(tmp_path: Path) -> None:
    """The test only plans, because the provider waits 30 s for each record. An apply works on the emulator too."""
    (block,) = [text for _, language, text in FENCE.findall(PAGE.read_text(encoding="utf-8")) if language == "hcl"]
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "main.tf").write_text(API)
    (tmp_path / "main.tf").write_text(BESIDE)
    (tmp_path / "domain.tf").write_text(block)
    shutil.copy(ROOT / "terraform" / ".terraform.lock.hcl", tmp_path)
    terraform(tmp_path, "init", "-input=false")
    messages = [json.loads(line) for line in terraform(tmp_path, "plan", "-input=false", "-json").splitlines()]
    assert {message["change"]["resource"]["addr"] for message in messages if message["type"] == "planned_change"} == {
        "aws_acm_certificate.gallery",
        "aws_acm_certificate_validation.gallery",
        "aws_api_gateway_base_path_mapping.gallery",
        "aws_api_gateway_domain_name.gallery",
        "aws_route53_record.gallery",
        'aws_route53_record.validation["photos.example.com"]',
    }
