"""Every damaged picture gets a verdict, and none ends the function. tests/faults/test_pictures.py has the long form."""

from tests.unit.thumbnailer.fuzzing import verdicts
from tests.unit.thumbnailer.mutants import mutant, originals
from thumbnailer.imaging.rejections import REASONS

FILES = 320


def test_every_damaged_picture_gets_a_verdict() -> None:
    counts = verdicts(seed=1, count=FILES)
    assert sum(counts.values()) == FILES
    assert {code for _, code in counts} <= {"READY", *REASONS}
    assert {name for name, _ in counts} == {name.split()[0] for name in originals()}
    # The generator is worth its time: some of each format pass, and some are refused.
    for name in {name for name, _ in counts}:
        assert {code == "READY" for kind, code in counts if kind == name} == {True, False}, name


def test_a_number_always_gives_the_same_file() -> None:
    assert mutant(1, 17) == mutant(1, 17)
    assert len({mutant(1, index)[1] for index in range(40)}) == 40
