"""README and docs say what is so: `make test` types every command, every picture and table is what the Terraform says."""

import re
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from scripts import diagrams, module_docs

FOLDERS = (".", "docs", "examples/**", "functions/*", "scripts/*", "emulator", "terraform/modules/*")
PAGES = sorted(page for folder in FOLDERS for page in ROOT.glob(f"{folder}/*.md"))
# Where `make test` types a target: a file that it runs, the words that type one there, and the targets.
TYPED = (
    ("scripts/test.sh", "`make {}`: every check", "test"),
    (
        "scripts/test.sh",
        " make {}",
        "lint checkov bench test-unit test-terraform test-integration test-policies test-iam test-faults test-browser",
    ),
    (
        "tests/first_steps/test_first_steps.py",
        'typed(checkout, "{}"',
        "demo up restart plan apply-saved simulate docs capabilities down clean",
    ),
    ("tests/integration/test_commands.py", '"{}": (', "build help invoke logs report status thumbnail upload watch"),
    ("tests/integration/test_commands.py", 'run(ROOT, "{}"', "test-compose"),
    ("tests/integration/test_examples.py", 'make(ROOT, "{}"', "example destroy-example"),
    ("tests/integration/test_new_function.py", 'make(folder, "{}"', "new-function deploy"),
    ("tests/integration/test_operator_tools.py", 'tool("{}"', "dlq backfill audit replay"),
    ("tests/integration/test_zz_destroy.py", 'make(ROOT, "{}"', "destroy"),
)
RUN_BY = {target: (file, words.format(target)) for file, words, targets in TYPED for target in targets.split()}
# Commands of other tools: why no test types them, or what does
OTHERS = {
    "docker": "needs Docker: the compose cloud",
    "build/uv/bin/uv": "asks PyPI for the newest versions",
    "aws": "needs an account; the test makes the parameter with boto3",
    "cd": "the way by hand; src/eventloom/deployment/apply.py runs the same Terraform",
    "terraform": "the way by hand; src/eventloom/deployment/apply.py runs the same Terraform",
    "CLOUD=aws": "needs an account",
    "CLOUD=compose": "needs Docker: the compose cloud",
    "curl": "needs the load balancer and an id of the deployment; tests/integration/test_alb.py sends such requests",
    "build/venv/localstack/bin/python": "what make up, down and status run, and a step of scripts/test.sh",
    "build/venv/dev/bin/python": "a part of make test-unit",
    "build/venv/dev/bin/pre-commit": "changes .git and runs make lint again; .github/workflows/ci.yml runs it",
    "scripts/bootstrap.sh": "every make target and ./eventloom run it first",
    "--universal": "continues the line before",
    "scripts/requirements/dev.in": "continues the line before",
    "--upgrade": "goes on from the line before",
    "functions/hello/requirements.in": "goes on from the line before",
}


def commands(text: str) -> list[str]:
    """The lines of sh blocks and of indented blocks, and inline `make ...`."""
    lines = [line for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
    lines += [
        line[4:]
        for line in re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
        if re.match(r"    [a-zA-Z/-]", line)
    ]
    lines += re.findall(r"`(make [a-z][^`]*)`", text)
    return [part.strip() for line in lines for part in re.split(r"&&|;", line.split(" #")[0]) if part.strip()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_test_types_every_command(page: Path) -> None:
    unknown = []
    for command in commands(page.read_text()):
        words = [word for word in re.sub(r'"[^"]*"', "", command).split() if not re.match(r"[A-Z_]+=", word) or word in OTHERS]
        targets = [target for word in words[1:] for target in word.split("|") if re.fullmatch(r"[a-z][a-z-]+", target)]
        if not words or words[0] in OTHERS:
            continue
        if words[0] != "make" or not targets or not set(targets) <= set(RUN_BY):
            unknown.append(command)
    assert unknown == [], "say in TYPED where make test types it, or in OTHERS why it does not"


@pytest.mark.parametrize("target", RUN_BY)
def test_a_target_exists_and_make_test_types_it_where_the_table_says(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    file, words = RUN_BY[target]
    assert re.search(rf"{re.escape(words)}(?![\w-])", (ROOT / file).read_text())
    assert file == "scripts/test.sh" or re.fullmatch(r"tests/(integration|first_steps)/test_\w+\.py", file), "make test runs no other"


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
    page = (ROOT / "docs" / "deploy-to-aws.md").read_text()
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


@pytest.mark.parametrize("page", [page for page in sorted(ROOT.glob("docs/*.md")) if page.name != "README.md"], ids=lambda page: page.stem)
def test_every_page_has_a_picture(page: Path) -> None:
    assert re.search(r"^!\[.{10,}\]\([\w/-]+\.(svg|png)\)$", page.read_text(), re.MULTILINE)


def test_every_function_of_readmes_table_is_in_a_picture() -> None:
    """A function of one's own, as `make new-function` writes it, needs neither."""
    table = (ROOT / "README.md").read_text().partition("\n## Functions\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| \[(\w+)\]\(functions/\1/README\.md\) \|", table, re.MULTILINE))
    functions = {address.removeprefix("module.") for address, body in terraform_blocks().items() if '"./modules/function"' in body}
    drawn = {box.address for flow in diagrams.FLOWS.values() for column in flow.columns for box in column}
    assert named
    assert named <= functions
    assert {f"module.{name}" for name in named} <= drawn
