"""Links in the README and docs are valid, and every picture and table matches the Terraform."""

import re
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from scripts import diagrams, module_docs
from scripts.diagram_functions import FUNCTIONS
from tests.documented import PAGES

MODULE_FOLDERS = sorted(path.parent for path in module_docs.MODULES.glob("*/README.md"))


def test_every_link_to_a_file_is_valid() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_environment_of_the_deploy_workflow_is_documented() -> None:
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    suffixes = re.findall(r"^    environment: \$\{\{ inputs\.environment \}\}(\S*)$", workflow, re.MULTILINE)
    assert len(suffixes) == workflow.count("runs-on:")
    page = (ROOT / "docs" / "how-to" / "deploy-from-github.md").read_text()
    for suffix in suffixes:
        assert f"| `prod{suffix}` |" in page
        assert f"`repo:OWNER/NAME:environment:prod{suffix}`" in page
    assert set(re.findall(r"vars\.(\w+)", workflow)) <= set(re.findall(r"`(AWS_\w+)`", page))


@pytest.mark.parametrize(
    "written", ['"Whether to log every request."', "<<-EOT\n    Whether to log\n    every request.\n  EOT"]
)
def test_a_description_can_be_a_string_or_a_heredoc(written: str) -> None:
    body = f"  description = {written}\n  type        = bool\n"
    assert module_docs.description(body) == "Whether to log every request."


def test_tables_of_inputs_and_outputs_are_up_to_date() -> None:
    assert module_docs.stale() == [], "run make docs"


@pytest.mark.parametrize("folder", MODULE_FOLDERS, ids=lambda folder: folder.name)
def test_the_example_of_a_module_sets_existing_inputs_and_all_required_ones(folder: Path) -> None:
    source = rf'  source += "./modules/{folder.name}"'
    example = re.search(
        rf'^```hcl\nmodule "\w+" {{\n({source}\n.*?)^}}', (folder / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert example
    given = set(re.findall(r"^  (\w+) +=", example[1], re.MULTILINE)) - {"source", "providers"}
    variables = {name: module_docs.attribute(body, "default") for name, body in module_docs.blocks(folder, "variable")}
    assert given <= set(variables)
    assert {name for name, default in variables.items() if default is None} <= given


# -- pictures

BLOCK = re.compile(r'^(module|resource|locals)(?: "(\w+)")?(?: "(\w+)")? \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r"(module\.\w+|local\.\w+|aws_\w+\.\w+)(?:\.(\w+))?")
TERRAFORM = ROOT / "terraform"
EMULATOR = ROOT / "emulator" / "src" / "embedded_localstack"
OF_TERRAFORM = sorted(diagrams.PICTURES.keys() - {"emulator"})
# Triggers for which modules/function makes a queue of failures
QUEUES_FAILURES = re.compile(r"^    (alarm|event|s3|schedule|sns|dynamodb_stream|kinesis) += ", re.MULTILINE)


def terraform_blocks() -> dict[str, str]:
    """Return the text of every module, resource and local value of the root by its address.

    The text of a module includes the local values of its file.
    """
    blocks: dict[str, str] = {}
    for file in sorted(TERRAFORM.glob("*.tf")):
        text = file.read_text()
        shared = "".join(body for kind, _, _, body in BLOCK.findall(text) if kind == "locals")
        blocks |= {f"local.{name}": shared for name in re.findall(r"^  (\w+) += ", shared, re.MULTILINE)}
        for kind, first, second, body in BLOCK.findall(text):
            if kind == "module":
                blocks[f"module.{first}"] = body + shared
            elif kind == "resource":
                blocks[f"{first}.{second}"] = body
    return blocks


def split_address(address: str) -> tuple[str, str | None]:
    """Return the block and the output that an address names."""
    match = ADDRESS.fullmatch(address)
    assert match, address
    return match[1], match[2]


def leads(start: str, end: str, blocks: dict[str, str]) -> bool:
    """Return whether one of two blocks refers to the other, or the end is an output of the same module."""
    (start_block, _), (end_block, output) = split_address(start), split_address(end)
    if start_block != end_block:
        return bool(
            re.search(rf"{end_block}\b", blocks[start_block]) or re.search(rf"{start_block}\b", blocks[end_block])
        )
    if output == "failures_queue_arn":
        return bool(QUEUES_FAILURES.search(blocks[start_block]))
    return output is not None or start == end


def test_every_picture_is_up_to_date_and_there_are_no_others() -> None:
    drawn = {path.stem: path.read_text() for path in diagrams.OUT.iterdir()}
    assert drawn == {name: diagrams.draw(picture) for name, picture in diagrams.PICTURES.items()}, "run make docs"


@pytest.mark.parametrize("name", OF_TERRAFORM)
def test_boxes_and_arrows_of_a_picture_are_in_the_terraform(name: str) -> None:
    picture, blocks = diagrams.PICTURES[name], terraform_blocks()
    for box in picture.boxes.values():
        if box.address:
            block, output = split_address(box.address)
            assert block in blocks
            if output:
                module = re.search(r'source += "\./(modules/\w+)"', blocks[block])
                assert module
                assert f'output "{output}"' in (TERRAFORM / module[1] / "outputs.tf").read_text()
    for arrow in picture.arrows:
        start, end = picture.boxes[arrow.start].address, picture.boxes[arrow.end].address
        assert not (start and end) or leads(start, end, blocks), f"nothing leads from {start} to {end}"


@pytest.mark.parametrize(
    ("name", "shown", "source", "written"),
    [
        ("event", "batches of up to 10 messages", "thumbnailer.tf", r"batch_size += 10\n"),
        ("event", "5 attempts failed", "modules/queue/variables.tf", r'"max_receive_count" \{[^}]*default += 5\n'),
        ("event", "14 days", "modules/queue/variables.tf", r'"dlq_retention_s" \{[^}]*default += 1209600\n'),
        ("thumbnailer", "after 5", "modules/queue/variables.tf", r'"max_receive_count" \{[^}]*default += 5\n'),
        ("notifier", "after 10", "notifier.tf", r"maximum_retries += 10 "),
        ("activity", "after 20", "activity.tf", r"maximum_retries += 20 "),
        ("converter", "after 3", "modules/function/variables.tf", r'"async_retries" \{[^}]*default += 2\n'),
        ("digest", "after 3", "modules/function/variables.tf", r'"async_retries" \{[^}]*default += 2\n'),
        ("recoverer", "after 3", "modules/function/variables.tf", r'"async_retries" \{[^}]*default += 2\n'),
        ("recoverer", "every 5 minutes", "recoverer.tf", r'"rate\(5 minutes\)"'),
        ("backfill", "100 at a time", "backfill.tf", r"MaxItemsPerBatch = 100 "),
    ],
)
def test_a_number_in_a_picture_matches_the_terraform(name: str, shown: str, source: str, written: str) -> None:
    assert f">{shown}</text>" in (diagrams.OUT / f"{name}.svg").read_text()
    assert re.search(written, (TERRAFORM / source).read_text())


def test_the_sizes_of_the_thumbnails_in_the_picture_match_the_terraform() -> None:
    """Anyone who changes them writes them into scripts/diagram_functions.py too."""
    sizes = re.search(r'THUMBNAIL_SIZES += "([\d,]+)"', (TERRAFORM / "thumbnailer.tf").read_text())
    assert sizes
    assert f">{sizes[1].replace(',', ', ')} px</text>" in (diagrams.OUT / "thumbnailer.svg").read_text()


def test_the_emulators_picture_names_existing_parts() -> None:
    boxes = diagrams.PICTURES["emulator"].boxes
    assert [name for name, box in boxes.items() if not box.address] == ["your programs"]
    assert [box.address for box in boxes.values() if box.address and not (EMULATOR / box.address).exists()] == []


def test_the_emulator_answers_for_load_balancers_before_iam_and_checks_iam_before_the_service() -> None:
    """LocalStack's chain has these two lists of handlers, in this order."""
    boxes = diagrams.PICTURES["emulator"].boxes
    for name, handlers in (
        ("load balancers", "preprocess_request"),
        ("IAM check", "serve_custom_service_request_handlers"),
    ):
        assert f"{handlers}.append(" in (EMULATOR / str(boxes[name].address)).read_text()


def test_every_picture_is_on_a_page_and_has_an_alternative_text() -> None:
    pictures = {path for suffix in ("svg", "png") for path in (ROOT / "docs").rglob(f"*.{suffix}")}
    shown = {
        (page.parent / target).resolve(): text
        for page in PAGES
        for text, target in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", page.read_text())
    }
    assert pictures <= set(shown)
    assert [text for text in shown.values() if len(text) < 10] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_page_of_a_function_shows_its_picture_and_no_other(name: str) -> None:
    page = (ROOT / "functions" / name / "README.md").read_text()
    assert re.findall(r"!\[[^]]*\]\(([^)]+)\)", page) == [f"../../docs/pictures/{name}.svg"]


def test_every_function_of_readmes_table_has_a_picture_and_is_in_the_architecture() -> None:
    """A function of your own, as `./eventloom new-function` writes it, needs neither."""
    table = (ROOT / "README.md").read_text().partition("\n## Functions\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| \[(\w+)\]\(functions/\1/README\.md\) \|", table, re.MULTILINE))
    functions = {
        address.removeprefix("module.")
        for address, body in terraform_blocks().items()
        if '"./modules/function"' in body
    }
    assert named
    assert named <= functions
    assert named == set(FUNCTIONS)
    assert named <= set(diagrams.PICTURES["architecture"].boxes)
