"""The mutations of `make test-faults` apply to the current code of the functions."""

import pytest

from eventloom.deployment.build import FUNCTIONS
from tests.faults.mutations import DEADLY, MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", [*MUTATIONS.values(), DEADLY], ids=[*MUTATIONS, "deadly"])
def test_a_mutation_matches_its_module_exactly_once_and_leaves_valid_python(mutation: Mutation) -> None:
    """A changed function fails here in seconds, and not in the fault suite after an hour."""
    module = FUNCTIONS / mutation.function / f"{mutation.module}.py"
    content = module.read_text()
    assert content.count(mutation.old) == 1
    compile(content.replace(mutation.old, mutation.new), module, "exec")
