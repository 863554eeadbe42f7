"""Test that `down` leaves the server running if it cannot save the server's state."""

from embedded_localstack.state import Home
from support import Cloud, launcher


def test_a_failed_save_does_not_stop_the_server(cloud: Cloud, home: Home, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.function(name)
    # A file at the path of the folder makes the save fail.
    obstacle = home.snapshot.with_suffix(".part")
    obstacle.touch()
    try:
        done = launcher("down", home)
    finally:
        obstacle.unlink()
    assert done.returncode == 1
    assert "not stopped: what is deployed could not be saved (FileExistsError: " in done.stderr
    assert "The server still runs, with everything in it" in done.stderr
    assert launcher("status", home).returncode == 0
    cloud.lambda_.invoke(FunctionName=name)
    assert cloud.outputs(name)
    cloud.s3.delete_bucket(Bucket=name)
