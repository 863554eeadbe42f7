import fcntl
import os
import resource
import time
from collections.abc import Iterator

import pytest

from embedded_localstack.executor.output import Output


@pytest.fixture
def many_files() -> Iterator[None]:
    """Allow file descriptors above 1023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("number", [0, 1024])
def test_all_output_of_a_process_is_delivered(number: int) -> None:
    reader, writer = os.pipe()
    output = Output(fcntl.fcntl(reader, fcntl.F_DUPFD, number))
    os.close(reader)
    os.write(writer, b"one\n")
    time.sleep(0.1)  # so that the thread reads it, not `take`
    assert output.take() == "one\n"
    os.write(writer, b"two")
    os.close(writer)
    assert output.take() == "two\n"
    assert output.take() == ""
