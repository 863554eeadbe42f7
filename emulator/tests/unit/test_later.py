"""Test patches that are installed at the import of their module."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from embedded_localstack.later import BeforeImport, mark

MODULE = "service_of_a_later_patch"


@pytest.fixture
def finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BeforeImport]:
    """Yield a finder, with a module on the path for it to find."""
    (tmp_path / f"{MODULE}.py").write_text("import sys\nDONE = list(sys.done)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "done", [], raising=False)
    finder = BeforeImport()
    yield finder
    sys.modules.pop(MODULE, None)
    if finder in sys.meta_path:
        sys.meta_path.remove(finder)


def done() -> list[str]:
    works: list[str] = sys.done  # type: ignore[attr-defined]
    return works


def test_the_work_is_done_once_before_the_module_is_executed(finder: BeforeImport):
    for name in ("first", "second"):
        finder.add(MODULE, lambda name=name: done().append(name))
    assert done() == []
    assert import_module(MODULE).DONE == ["first", "second"]
    del sys.modules[MODULE]
    import_module(MODULE)
    assert done() == ["first", "second"]


def test_a_module_whose_patch_fails_cannot_be_imported(finder: BeforeImport):
    def fail() -> None:
        done().append("tried")
        raise ValueError("it does not fit")

    finder.add(MODULE, fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="it does not fit"):
            import_module(MODULE)
    assert done() == ["tried", "tried"]


def test_a_patch_for_a_module_that_runs_already_is_refused(finder: BeforeImport):
    import_module(MODULE)
    with pytest.raises(RuntimeError, match="already imported"):
        finder.add(MODULE, lambda: None)


def test_the_mark_depends_on_the_patches(tmp_path: Path):
    names = ["embedded_localstack.patches.stepfunctions_maps", "embedded_localstack.patches.s3_lifecycles"]
    marks = {mark(tmp_path, chosen, ["pytest"]) for chosen in (names, names[:1], names[1:], names)}
    assert len(marks) == 3
    assert mark(tmp_path, names, ["pluggy"]) not in marks
    assert {path.parent for path in marks} == {tmp_path}
