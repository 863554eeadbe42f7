"""`dev` publishes new code as a version, and moves the alias only if this version works."""

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from eventloom.cli import main
from eventloom.deployment.build import compile_bytecode
from eventloom.development.bytecode import Compiler
from eventloom.development.changes import Changes
from eventloom.development.dev import DENIALS_S, Denials
from eventloom.development.import_check import ImportCheck
from eventloom.development.push import Target, package
from eventloom.development.session import Worker, Workshop, push
from eventloom.errors import UserError


def archive(**entries: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as bundle:
        for name, text in entries.items():
            bundle.writestr(name.replace("__", "/").replace("_py", ".py"), text)
    return content.getvalue()


BASE = archive(hello__handler_py="old", hello__gone_py="old", shared__text_py="old", library__a_py="library")


PACKED = ("hello/__pycache__/handler", "shared/__pycache__/text")


class Lambda:
    """Lambda with one function. The first request about a new version returns the state Pending."""

    def __init__(self, state: str = "Active") -> None:
        self.codes = {"1": BASE}
        self.alias = "1"
        self._state = state
        self._asked: set[str] = set()

    def update_function_code(self, FunctionName: str, ZipFile: bytes, Publish: bool) -> dict[str, Any]:
        assert Publish
        version = str(len(self.codes) + 1)
        self.codes[version] = ZipFile
        return {"Version": version}

    def get_function_configuration(self, FunctionName: str, Qualifier: str = "") -> dict[str, Any]:
        if not Qualifier:
            return {"LastUpdateStatus": "Successful"}
        is_new = Qualifier not in self._asked
        self._asked.add(Qualifier)
        return {"State": "Pending" if is_new else self._state, "StateReason": "no such layer", "CodeSha256": "x"}

    def update_alias(self, FunctionName: str, Name: str, FunctionVersion: str) -> None:
        assert Name == "live"
        self.alias = FunctionVersion

    def get_alias(self, FunctionName: str, Name: str) -> dict[str, Any]:
        return {"FunctionVersion": self.alias}

    def delete_function(self, FunctionName: str, Qualifier: str) -> None:
        del self.codes[Qualifier]


class Answer:
    """An import check that gives a fixed answer."""

    def __init__(self, problem: str) -> None:
        self._problem = problem
        self.is_closed = False

    def problem(self) -> str:
        return self._problem

    def close(self) -> None:
        self.is_closed = True


class Code(Workshop):
    """A workshop whose zip needs no network."""

    def archive(self, name: str) -> bytes:
        return BASE


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    for path in ("hello/handler.py", "shared/text.py"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("lambda_handler = 1\n")
    return tmp_path


def worker(functions: Path, cloud: Lambda, problem: str = "") -> tuple[Worker, list[str]]:
    said: list[str] = []
    target = Target(cloud, "hello", lambda _: None)
    check: Any = Answer(problem)
    made = Worker("hello", Code(functions, functions, "arm64"), target, lambda: check, said.append)
    made.begin()
    said.clear()
    return made, said


def test_a_package_has_the_new_code_and_the_old_dependencies(functions: Path) -> None:
    content = package(BASE, {"hello/handler.py": functions / "hello/handler.py"})
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        assert bundle.testzip() is None
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert texts == {
        "shared/text.py": "old",
        "library/a.py": "library",
        "hello/handler.py": "lambda_handler = 1\n",
    }


def test_saved_code_becomes_a_version_that_events_reach(functions: Path) -> None:
    cloud = Lambda()
    made, said = worker(functions, cloud)
    before = cloud.alias
    push(Changes(code={"hello", "another"}), [made])
    assert int(cloud.alias) == int(before) + 1
    assert said[0].startswith(f"hello: version {cloud.alias} runs from the next event on (")
    made.end()
    assert cloud.codes.keys() == {"1", cloud.alias}


@pytest.mark.parametrize(
    ("code", "problem", "words"),
    [
        ("def f(:", "", "functions/hello/handler.py, line 1: invalid syntax; the old code keeps running"),
        ("a\0", "", "functions/hello/handler.py"),
        ("a = 1", "ImportError: no x", "the import fails; the old code keeps running\nImportError: no x"),
    ],
)
def test_code_that_cannot_run_reaches_no_event(functions: Path, code: str, problem: str, words: str) -> None:
    cloud = Lambda()
    made, said = worker(functions, cloud)
    before = cloud.alias
    made._check = Answer(problem)  # type: ignore[assignment]
    (functions / "hello" / "handler.py").write_text(code)
    push(Changes(code={"hello"}), [made])
    assert words in said[-1]
    assert cloud.alias == before


def test_a_version_that_lambda_cannot_use_reaches_no_event(functions: Path) -> None:
    cloud = Lambda()
    made, said = worker(functions, cloud)
    cloud._state = "Failed"
    before = cloud.alias
    push(Changes(code={"hello"}), [made])
    assert said == ["hello: the new code of hello cannot be used: no such layer; the old code keeps running"]
    assert cloud.alias == before


def test_a_refusal_of_aws_ends_nothing(functions: Path) -> None:
    made, said = worker(functions, cloud := Lambda())
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, "UpdateFunctionCode")

    def refuse(**_: Any) -> None:
        raise error

    cloud.update_function_code = refuse  # type: ignore[method-assign, assignment]
    push(Changes(code={"hello"}), [made])
    assert "not you" in said[-1]
    assert said[-1].endswith("the old code keeps running")


def test_changed_requirements_are_installed_before_the_push(functions: Path) -> None:
    made, said = worker(functions, cloud := Lambda())
    before = cloud.alias
    push(Changes(dependencies={"hello"}), [made])
    assert said[0] == "hello: installing its dependencies"
    assert cloud.alias != before


def test_modules_are_compiled_once_for_each_save_as_the_build_compiles_them(functions: Path) -> None:
    (functions / "hello" / "page.html").write_text("def f(:")
    sources = {path: functions / path for path in ("hello/handler.py", "hello/page.html")}
    compiler = Compiler()
    first = compiler.compile(sources)
    [(path, content)] = first.items()
    assert path == f"hello/__pycache__/handler.{sys.implementation.cache_tag}.pyc"
    assert compiler.compile(sources)[path] is content
    compile_bytecode(functions)
    assert (functions / path).read_bytes() == content
    (functions / "hello" / "handler.py").write_text("a = 1\nb = = 2\n")
    with pytest.raises(UserError, match=r"functions/hello/handler\.py, line 2: invalid syntax"):
        compiler.compile(sources)
    (functions / "hello" / "handler.py").write_text("a = 1\n")
    assert compiler.compile(sources)[path] != content


def test_pushed_code_has_its_bytecode(functions: Path) -> None:
    cloud = Lambda()
    made, _ = worker(functions, cloud)
    push(Changes(code={"hello"}), [made])
    with zipfile.ZipFile(io.BytesIO(cloud.codes[cloud.alias])) as bundle:
        names = [name for name in bundle.namelist() if name.endswith(".pyc")]
    assert names == [f"{folder}.{sys.implementation.cache_tag}.pyc" for folder in PACKED]


def test_an_import_is_checked_with_the_code_as_it_is_saved_and_the_packaged_dependencies(functions: Path) -> None:
    zipped = functions / "hello.zip"
    zipped.write_bytes(archive(hello__handler_py="raise SystemExit", library_py="import os\nNAME = os.environ['NAME']"))
    handler = functions / "hello" / "handler.py"
    handler.write_text("import library\nlambda_handler = library.NAME")
    check = ImportCheck(Path(sys.executable), "hello", functions, zipped, {"NAME": "x"})
    try:
        assert check.problem() == ""
        handler.write_text("from hello import part\nlambda_handler = part.f\n")
        assert "cannot import name 'part'" in check.problem()
        (functions / "hello" / "part.py").write_text("f = print('printed')\n")
        assert check.problem() == ""
        (functions / "hello" / "part.py").write_text("import os\nos.abort\nraise SystemExit(3)\n")
        assert "SystemExit: 3" in check.problem()
        handler.write_text("a = 1")
        assert check.problem() == "hello.handler has no lambda_handler"
        handler.write_text("from botocore.exceptions import EndpointConnectionError as E\nraise E(endpoint_url='u')")
        assert check.problem() == ""
    finally:
        check.close()
    assert check.problem() == ""


def test_dev_refuses_prod() -> None:
    result = CliRunner().invoke(main, ["dev", "--env", "prod", "--cloud", "embedded"])
    assert result.exit_code == 1
    assert "it refuses prod; use ./eventloom deploy --env prod" in result.stderr


def test_a_denied_call_is_shown_once_when_it_is_new() -> None:
    denial = {"who": "role", "action": "s3:PutObject", "resource": "b", "count": 1}
    reports = iter(([denial], [denial], [denial | {"count": 2}]))
    now = [0.0]
    denials = Denials(lambda: {"denials": next(reports)}, lambda: now[0])
    assert list(denials.new()) == []
    now[0] += DENIALS_S
    assert list(denials.new()) == []
    now[0] += DENIALS_S
    assert list(denials.new()) == ["IAM denied s3:PutObject on b to role"]


def test_a_new_version_that_never_becomes_ready_is_an_error() -> None:
    cloud = Lambda("Failed")
    with pytest.raises(UserError, match="no such layer"):
        Target(cloud, "hello", lambda _: None).publish(BASE)
