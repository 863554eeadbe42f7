"""Links of README and docs lead somewhere, and every picture and table is what the Terraform says."""

import re
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from scripts import diagrams, module_docs
from tests.documented import PAGES


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_environment_that_the_workflow_runs_in_is_documented() -> None:
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    found = re.findall(r"^    environment: \$\{\{ inputs\.environment \}\}(\S*)$", workflow, re.MULTILINE)
    assert len(found) == workflow.count("runs-on:")
    page = (ROOT / "docs" / "how-to" / "deploy-from-github.md").read_text()
    for suffix in found:
        assert f"| `prod{suffix}` |" in page
        assert f"`repo:<owner>/<repository>:environment:prod{suffix}`" in page
    assert set(re.findall(r"vars\.(\w+)", workflow)) <= set(re.findall(r"`(AWS_\w+)`", page))


@pytest.mark.parametrize("written", ['"Whether to log every request."', "<<-EOT\n    Whether to log\n    every request.\n  EOT"])
def test_a_description_is_a_string_or_a_heredoc(written: str) -> None:
    assert module_docs.description(f"  description = {written}\n  type        = bool\n") == "Whether to log every request."


def test_tables_of_inputs_and_outputs_are_up_to_date() -> None:
    assert module_docs.stale() == [], "run make docs"


@pytest.mark.parametrize("folder", sorted(path.parent for path in module_docs.MODULES.glob("*/README.md")), ids=lambda folder: folder.name)
def test_a_module_s_example_sets_what_there_is_and_all_that_is_required(folder: Path) -> None:
    source = rf'  source += "./modules/{folder.name}"'
    example = re.search(rf'^```hcl\nmodule "\w+" {{\n({source}\n.*?)^}}', (folder / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert example
    given = set(re.findall(r"^  (\w+) +=", example[1], re.MULTILINE)) - {"source", "providers"}
    variables = {name: module_docs.attribute(body, "default") for name, body in module_docs.blocks(folder, "variable")}
    assert given <= set(variables)
    assert {name for name, default in variables.items() if default is None} <= given


# -- pictures

BLOCK = re.compile(r'^(module|resource|locals)(?: "(\w+)")?(?: "(\w+)")? \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)


def terraform_blocks() -> dict[str, str]:
    """The text of every module and resource of the root by its address, with the locals that it names."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "terraform").glob("*.tf")):
        text = file.read_text()
        shared = "".join(body for kind, _, _, body in BLOCK.findall(text) if kind == "locals")
        for kind, first, second, body in BLOCK.findall(text):
            if kind != "locals":
                found[f"module.{first}" if kind == "module" else f"{first}.{second}"] = body + (shared if kind == "module" else "")
    return found


@pytest.mark.parametrize("name", diagrams.FLOWS)
def test_a_picture_is_drawn_anew_and_says_what_the_terraform_says(name: str) -> None:
    flow = diagrams.FLOWS[name]
    assert (diagrams.OUT / f"{name}.svg").read_text() == diagrams.draw(flow), "run make docs"
    blocks, boxes = terraform_blocks(), {box.name: box for column in flow.columns for box in column}
    assert [box.name for box in boxes.values() if box.address and box.address not in blocks] == []
    for start, end in flow.arrows:
        a, b = boxes[start].address, boxes[end].address
        if a and b:
            assert re.search(rf"{re.escape(b)}\b", blocks[a]) or re.search(rf"{re.escape(a)}\b", blocks[b]), (
                f"nothing leads from {a} to {b}"
            )


def test_every_picture_stands_on_a_page_and_says_what_it_shows() -> None:
    pictures = {path for suffix in ("svg", "png") for path in (ROOT / "docs").rglob(f"*.{suffix}")}
    shown = {
        (page.parent / target).resolve(): text
        for page in PAGES
        for text, target in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", page.read_text())
    }
    assert pictures <= set(shown)
    assert [text for text in shown.values() if len(text) < 10] == []


def test_the_architecture_shows_every_flow_of_events() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert [name for name in diagrams.FLOWS if name != "trust" and f"(flows/{name}.svg)" not in page] == []


def test_every_function_of_readmes_table_is_in_a_picture() -> None:
    """A function of one's own, as `make new-function` writes it, needs neither."""
    table = (ROOT / "README.md").read_text().partition("\n## Functions\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| \[(\w+)\]\(functions/\1/README\.md\) \|", table, re.MULTILINE))
    functions = {address.removeprefix("module.") for address, body in terraform_blocks().items() if '"./modules/function"' in body}
    drawn = {box.address for flow in diagrams.FLOWS.values() for column in flow.columns for box in column}
    assert named
    assert named <= functions
    assert {f"module.{name}" for name in named} <= drawn
