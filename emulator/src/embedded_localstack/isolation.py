"""Check how functions can be isolated on this machine before a server starts."""

import subprocess
import sys
from pathlib import Path

from embedded_localstack.state import LaunchError

_EXECUTOR = Path(__file__).with_name("executor")
# The probe runs in its own process, because the attempt changes the process.
_PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
import namespace
try:
    namespace.probe()
except OSError as error:
    sys.exit(str(error))
"""


def refuse_other_systems(platform: str = sys.platform) -> None:
    """Refuse a system on which functions cannot be stopped, frozen or limited.

    Raises:
        LaunchError: it is not Linux.
    """
    if platform != "linux":
        raise LaunchError(
            f"it runs on Linux only, and this is {platform}; run it in a container (docs/container.md): "
            "docker compose --profile embedded up"
        )


def missing(interpreter: str = sys.executable) -> str:
    """Return why functions share the file system of this machine, or an empty string if each has its own."""
    command = [interpreter, "-I", "-S", "-c", _PROBE, str(_EXECUTOR)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else " ".join(done.stderr.split())[-200:] or f"exit {done.returncode}"
