"""A `down` that cannot keep what is deployed leaves the server as it was."""

from embedded_localstack.state import Home
from support import Cloud, launcher


def test_a_state_that_cannot_be_written_down_is_not_lost(cloud: Cloud, home: Home, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.function(name)
    # A file where the folder has to be
    obstacle = home.snapshot.with_suffix(".part")
    obstacle.touch()
    try:
        done = launcher("down", home)
    finally:
        obstacle.unlink()
    assert done.returncode == 1
    assert "not stopped: what is deployed could not be written down (FileExistsError: " in done.stderr
    assert "The server still runs, with everything in it" in done.stderr
    assert launcher("status", home).returncode == 0
    cloud.lambda_.invoke(FunctionName=name)
    assert cloud.outputs(name)
    cloud.s3.delete_bucket(Bucket=name)
