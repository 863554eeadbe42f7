"""The mutations of `make test-faults`, without a cloud."""

import pytest

from eventloom.deployment.build import FUNCTIONS
from tests.faults.mutations import DEADLY, MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", [*MUTATIONS.values(), DEADLY], ids=[*MUTATIONS, "deadly"])
def test_what_is_taken_out_is_there(mutation: Mutation) -> None:
    """Once, and what remains is Python: a change of the functions that moves it is found here, not in an hour's run."""
    module = FUNCTIONS / mutation.function / f"{mutation.module}.py"
    content = module.read_text()
    assert content.count(mutation.old) == 1
    compile(content.replace(mutation.old, mutation.new), module, "exec")
