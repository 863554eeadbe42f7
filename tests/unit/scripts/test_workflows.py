"""The workflows and forms in .github/ refer to existing files and targets, and the steps of a release work."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

import eventloom
from eventloom.clouds import ROOT
from scripts import release_files, release_notes

GITHUB = ROOT / ".github"
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (GITHUB / "workflows").glob("*.yml")
}
DEPENDABOT = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
STEP = re.compile(r"^\s*step [\w-]+ (.+)$", re.MULTILINE)


def steps(workflow: str) -> list[dict[str, Any]]:
    """Return the steps of all jobs of a workflow."""
    return [step for job in WORKFLOWS[workflow]["jobs"].values() for step in job["steps"]]


def commands(workflow: str) -> list[str]:
    """Return every command line of a workflow, including those of a matrix."""
    matrices = [job.get("strategy", {}).get("matrix", {}) for job in WORKFLOWS[workflow]["jobs"].values()]
    scripts = [step["run"] for step in steps(workflow) if "run" in step]
    scripts += [row["run"] for matrix in matrices for row in matrix.get("include", []) if "run" in row]
    return [line.strip() for script in scripts for line in script.replace("\\\n", " ").splitlines()]


def targets(command: str) -> set[str]:
    """Return the make targets of a command, or an empty set for other commands. Variables before make are ignored."""
    words = [word for word in re.sub(r"\"[^\"]*\"|'[^']*'", "", command).split() if "=" not in word]
    if words[:1] == ["env"]:
        del words[0]
    return set(words[1:]) if words[:1] == ["make"] else set()


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_make_target_and_script_of_a_workflow_exists(workflow: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = [line.removeprefix('CONFIRM="$ENVIRONMENT" ') for line in commands(workflow)]
    for command in lines:
        for target in targets(command):
            assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), command
    for path in re.findall(r"(?:^|\s)((?:scripts|tests|emulator|\.ci)/[\w./-]+)", "\n".join(lines)):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"-m (eventloom[\w.]*)", "\n".join(lines)):
        assert (ROOT / "src" / module.replace(".", "/")).with_suffix(".py").exists(), module


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_action_is_pinned_to_a_commit_and_names_its_version(workflow: str) -> None:
    text = (GITHUB / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "uses:" in line]
    assert len(lines) == len([step for step in steps(workflow) if "uses" in step])
    assert [line for line in lines if not re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_only_the_publish_job_of_a_release_may_write(workflow: str) -> None:
    assert WORKFLOWS[workflow]["permissions"]["contents"] == "read"
    writing = [
        name for name, job in WORKFLOWS[workflow]["jobs"].items() if "write" in job.get("permissions", {}).values()
    ]
    assert writing == (["publish"] if workflow == "release" else [])
    checkouts = [step for step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert [step for step in checkouts if step["with"]["persist-credentials"]] == []


def test_no_command_contains_an_expression_that_an_outsider_can_control() -> None:
    shells = [step["run"] for workflow in WORKFLOWS for step in steps(workflow) if "run" in step]
    assert [text for text in shells if "${{" in text and text != "${{ matrix.run }}"] == []


@pytest.mark.parametrize("job", ["plan", "apply"])
def test_nothing_is_installed_beside_credentials_of_aws(job: str) -> None:
    names = [step.get("run") or step["uses"] for step in WORKFLOWS["deploy"]["jobs"][job]["steps"]]
    login = next(index for index, name in enumerate(names) if name.startswith("aws-actions/configure-aws-credentials@"))
    before = {"make setup", "./eventloom build"} if job == "plan" else {"make setup"}
    assert before <= set(names[:login])
    assert [name for name in names[login + 1 :] if "actions/" not in name and not name.startswith("./eventloom ")] == []
    # With CLOUD=aws the command installs only what `make setup` has installed.
    assert WORKFLOWS["deploy"]["env"]["CLOUD"] == "aws"


def test_the_plan_that_is_applied_is_the_plan_that_was_reviewed() -> None:
    plan, apply = (WORKFLOWS["deploy"]["jobs"][job] for job in ("plan", "apply"))
    put = next(step for step in plan["steps"] if "saved-plan put" in step.get("run", ""))
    assert put["run"].endswith('>>"$GITHUB_OUTPUT"')
    assert plan["outputs"] == {
        name: f"${{{{ steps.{put['id']}.outputs.{name} }}}}" for name in ("sha256", "version_id")
    }
    assert apply["needs"] == "plan"
    assert {name: apply["env"][f"PLAN_{name.upper()}"] for name in plan["outputs"]} == {
        name: f"${{{{ needs.plan.outputs.{name} }}}}" for name in plan["outputs"]
    }
    get, applied = [line for line in commands("deploy") if "saved-plan get" in line or "apply-saved" in line]
    assert '--sha256 "$PLAN_SHA256" --version-id "$PLAN_VERSION_ID"' in " ".join(get.split())
    assert '--sha256 "$PLAN_SHA256"' in applied


def test_the_plan_and_the_apply_have_different_github_environments() -> None:
    jobs = WORKFLOWS["deploy"]["jobs"]
    assert jobs["plan"]["environment"] == "${{ inputs.environment }}-plan"
    assert jobs["apply"]["environment"] == "${{ inputs.environment }}"


def test_ci_runs_every_step_of_make_test() -> None:
    ci_commands = commands("ci")
    ci_targets = set().union(*(targets(command) for command in ci_commands))
    local_steps = STEP.findall((ROOT / "scripts" / "test.sh").read_text(encoding="utf-8"))
    assert len(local_steps) > 10
    other_steps = [command for command in local_steps if command not in ci_commands]
    assert [command for command in other_steps if not targets(command) or targets(command) - ci_targets] == []


def test_the_jobs_of_ci_have_different_names() -> None:
    names = [row["name"] for row in WORKFLOWS["ci"]["jobs"]["test"]["strategy"]["matrix"]["include"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "entry",
    yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"],
    ids=lambda entry: entry["package-ecosystem"],
)
def test_dependabot_checks_folders_that_have_dependencies(entry: dict[str, Any]) -> None:
    kinds = {
        "pip": "requirements.txt",
        "npm": "package.json",
        "terraform": "*.tf",
        "docker-compose": "docker-compose.yml",
        "docker": "Dockerfile",
    }
    pattern = kinds.get(entry["package-ecosystem"], ".github/workflows/*.yml")
    for folder in entry.get("directories") or [entry["directory"]]:
        glob = "*.txt" if folder.endswith("/requirements") else pattern
        assert list(ROOT.glob(f"{folder.strip('/')}/{glob}".strip("/"))), folder


def test_dependabot_checks_every_file_with_pinned_packages() -> None:
    folders = next(entry["directories"] for entry in DEPENDABOT if entry["package-ecosystem"] == "pip")
    known = {path for folder in folders for path in ROOT.glob(f"{folder.strip('/')}/*.txt")}
    sources = [
        path for folder in ("emulator", "examples", "functions", "scripts") for path in (ROOT / folder).rglob("*.txt")
    ]
    pinned = {path for path in sources if "--hash=" in path.read_text(encoding="utf-8")}
    assert pinned
    assert pinned <= known


@pytest.mark.parametrize("form", ["bug", "feature"])
def test_the_questions_of_an_issue_form_have_labels_and_different_ids(form: str) -> None:
    page = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / f"{form}.yml").read_text())
    assert {"name", "description", "body"} <= set(page)
    ids = [part["id"] for part in page["body"] if part["type"] != "markdown"]
    assert len(set(ids)) == len(ids)
    assert all(part["attributes"]["label"] for part in page["body"] if part["type"] != "markdown")
    assert [part["id"] for part in page["body"] if part.get("validations", {}).get("required")]


# -- the release


def package(build: Path, name: str, module: str) -> bytes:
    """Write a package of one file and its entry in the manifest, as the build does. Returns the package."""
    build.mkdir(exist_ok=True)
    with zipfile.ZipFile(build / f"{name}.zip", "w") as bundle:
        bundle.writestr(module, "")
    content = (build / f"{name}.zip").read_bytes()
    file = build / "manifest.json"
    manifest = json.loads(file.read_text()) if file.exists() else {}
    manifest[name] = {"arch": "arm64", "sha256": hashlib.sha256(content).hexdigest()}
    file.write_text(json.dumps(manifest))
    return content


def test_the_files_of_a_release_are_the_packages_in_the_manifest(tmp_path: Path) -> None:
    notifier, digest = package(tmp_path, "notifier", "one.py"), package(tmp_path, "digest", "two.py")
    (tmp_path / "left-over.zip").write_bytes(b"of another build")
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "old-0.0.9-arm64.zip").write_bytes(b"old")
    copies = release_files.collect("1.2.3", tmp_path)
    assert {path.name: path.read_bytes() for path in copies} == {
        "digest-1.2.3-arm64.zip": digest,
        "notifier-1.2.3-arm64.zip": notifier,
    }
    assert sorted((tmp_path / "release").iterdir()) == copies


def test_a_package_that_changed_after_the_build_is_not_released(tmp_path: Path) -> None:
    package(tmp_path, "notifier", "one.py")
    (tmp_path / "notifier.zip").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"notifier\.zip is not the package"):
        release_files.collect("1.2.3", tmp_path)


def test_a_package_whose_licence_asks_for_the_source_code_is_not_released(tmp_path: Path) -> None:
    package(tmp_path, "thumbnailer", "pillow_heif/heif.py")
    with pytest.raises(ValueError, match=r"thumbnailer\.zip holds pillow_heif, .* --without pillow-heif"):
        release_files.collect("1.2.3", tmp_path)
    assert any(
        line.startswith("./eventloom build ") and "--without pillow-heif" in line for line in commands("release")
    )


def test_nothing_is_released_before_a_build(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run `make build` first"):
        release_files.collect("1.2.3", tmp_path)


def project(folder: Path, changelog: str) -> Path:
    """Write the two files that describe a release, for version 1.2.3."""
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (folder / "CHANGELOG.md").write_text(changelog)
    return folder


def test_the_notes_of_a_release_are_its_section_of_the_changelog(tmp_path: Path) -> None:
    text = "# Changelog\n\n## [Unreleased]\n\n- next\n\n## [1.2.3] - 2026-01-02\n\n### Added\n\n- this [link]\n\n"
    text += "## [1.2.2] - 2026-01-01\n\n- before\n"
    assert release_notes.notes("1.2.3", project(tmp_path, text)) == "### Added\n\n- this [link]"


@pytest.mark.parametrize(
    ("version", "changelog", "fault"),
    [
        ("1.2.4", "## [1.2.4] - 2026-01-02\n\n- this\n", "states version 1.2.3, not 1.2.4"),
        ("1.2.3", "## [Unreleased]\n\n- this\n", "no text under"),
        ("1.2.3", "## [1.2.3] - 2026-01-02\n\n## [1.2.2] - 2026-01-01\n\n- before\n", "no text under"),
    ],
)
def test_a_release_that_the_files_do_not_describe_is_refused(
    version: str, changelog: str, fault: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=fault):
        release_notes.notes(version, project(tmp_path, changelog))


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A folder like that of the publish job after its downloads, with a `gh` that logs its arguments."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "release_notes.py", tmp_path / "scripts")
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    for machine in ("first", "second"):
        (tmp_path / "build" / machine).mkdir(parents=True)
        for arch in ("arm64", "x86_64"):
            (tmp_path / "build" / machine / f"notifier-{eventloom.__version__}-{arch}.zip").write_bytes(arch.encode())
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$GH_ARGUMENTS"\n')
    gh.chmod(0o755)
    return tmp_path


def publish(runner: Path, tag: str) -> bool:
    """Run the commands of the publish job as GitHub does, up to the first that fails. Return whether all succeed."""
    environment = {
        "PATH": f"{runner / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_REF_NAME": tag,
        "GH_ARGUMENTS": str(runner / "arguments"),
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    scripts = [step["run"] for step in WORKFLOWS["release"]["jobs"]["publish"]["steps"] if "run" in step]
    return all(
        subprocess.run([*shell, script], cwd=runner, env=environment, check=False).returncode == 0 for script in scripts
    )


def test_publish_attaches_packages_and_checksums_and_writes_the_notes(runner: Path) -> None:
    tag = f"v{eventloom.__version__}"
    assert publish(runner, tag)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=runner / "build" / "first", check=True)
    arguments = (runner / "arguments").read_text().splitlines()
    assert arguments[:3] == ["release", "create", tag]
    attached = {Path(argument).name for argument in arguments if argument.startswith("build/first/")}
    assert attached == {"SHA256SUMS", *(f"notifier-{eventloom.__version__}-{arch}.zip" for arch in ("arm64", "x86_64"))}
    assert (runner / "build" / "notes.md").read_text().strip() == release_notes.notes(eventloom.__version__)


def test_publish_refuses_packages_that_differ_between_machines(runner: Path) -> None:
    (runner / "build" / "second" / f"notifier-{eventloom.__version__}-arm64.zip").write_bytes(b"other")
    assert not publish(runner, f"v{eventloom.__version__}")
    assert not (runner / "arguments").exists()


def test_publish_refuses_a_tag_of_another_version(runner: Path) -> None:
    assert not publish(runner, "v99.0.0")
    assert not (runner / "arguments").exists()
