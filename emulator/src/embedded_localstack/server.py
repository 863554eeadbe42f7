"""Run the server process, which is LocalStack's own main function in the environment of settings.py."""
# mypy: disable-error-code="import-not-found"

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

from embedded_localstack import certificates, garbage, processes
from embedded_localstack.settings import LISTEN_VARIABLE, LOOPBACK, OWNER_VARIABLE
from embedded_localstack.state import Home


def main() -> None:
    """Run LocalStack until it is stopped."""
    garbage.pause()  # until the hook `resume` in plugins.py
    home = Home.of_this_server()
    if owner := os.environ.get(OWNER_VARIABLE):
        threading.Thread(target=end_with, args=(int(owner), home), daemon=True).start()
    from localstack import config  # noqa: PLC0415 - reads the environment when it is imported
    from localstack.runtime.main import main as run  # noqa: PLC0415

    outside = {
        name: path for name, path in vars(config.dirs).items() if path and not Path(path).is_relative_to(home.path)
    }
    if outside:
        raise SystemExit(f"LocalStack would write outside {home.path}: {outside}")
    config.dirs.mkdirs()
    config.dirs.static_libs = str(home.cache)
    certificates.make(home.certificates)
    config.CUSTOM_SSL_CERT_PATH = str(home.certificates / certificates.SERVER)
    listen_on(os.environ.get(LISTEN_VARIABLE, LOOPBACK))
    run()


def end_with(owner: int, home: Home) -> None:
    """Wait until the process `owner` has ended, and then stop this server as `down --forget` does."""
    ticks = processes.start_ticks(owner)
    while processes.same(owner, ticks):
        threading.Event().wait(1)
    command = [sys.executable, "-m", "embedded_localstack", "down", "--forget", "--home", str(home.path)]
    subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def listen_on(address: str) -> None:
    """Make LocalStack listen on one address, because LocalStack ignores the address in GATEWAY_LISTEN."""
    from twisted.internet import endpoints  # noqa: PLC0415 - it belongs to the running server

    endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface=address)


if __name__ == "__main__":
    main()
