"""A moto server process whose operations are atomic: `python -m embedded_localstack.moto_server SERVICE PORT [STATE]`.

The server loads the content of STATE if that file exists, and serves until its standard input closes. Each line of
standard input names a file. The server saves its state in that file and prints one line: the reason why it failed, or
an empty line. If a line of input is empty, the server discards its state.

moto checks a condition and writes in two steps without a lock, so the same conditional write may succeed in two
threads. One lock around every operation gives DynamoDB's guarantee. moto is pure Python, so the lock costs no speed.
"""
# mypy: disable-error-code="import-untyped"

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, TextIO

from embedded_localstack import garbage

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


_lock = threading.Lock()
# One operation runs at a time; the other threads read requests and send answers.
THREADS = 8
# LocalStack keeps its connections. A timeout could close one while it sends the next request.
CHANNEL_TIMEOUT_S = 365 * 24 * 3600


def one_at_a_time(application: Application) -> Application:
    """Return a WSGI application that passes complete requests to `application`, one at a time.

    A request is read before the lock is taken, so a slow sender does not delay the others.
    """

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        size = int(length) if length else -1 if environ.get("wsgi.input_terminated") else 0
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(size))
        with _lock:
            return list(application(environ, start_response))

    return serve


def _end_with_parent(service: str, answers: TextIO) -> None:
    for line in sys.stdin.buffer:
        with _lock:
            name = line.removesuffix(b"\n")
            reason = _save(service, Path(os.fsdecode(name))) if name else _forget(service)
        print(reason, file=answers, flush=True)
    os._exit(0)


def _backends(service: str) -> dict[str, Any]:
    backends: dict[str, Any] = getattr(import_module(f"moto.{service}.models"), f"{service}_backends")
    return backends


def _save(service: str, file: Path) -> str:
    """Save the state in a file. Return the reason for a failure in one line, or an empty string."""
    try:
        file.write_bytes(pickle.dumps(dict(_backends(service))))
    except Exception as error:
        traceback.print_exc()
        return " ".join(f"{type(error).__name__}: {error}".split())
    return ""


def _forget(service: str) -> str:
    """Empty the state, and return an empty string."""
    dict.clear(_backends(service))
    return ""


def _load(service: str, file: Path) -> None:
    if file.is_file():
        dict.update(_backends(service), pickle.loads(file.read_bytes()))  # noqa: S301 - the previous server wrote it


def main(service: str, port: int, *states: Path) -> None:
    """Serve until standard input closes."""
    # Standard output carries only the replies, so what moto prints goes to standard error.
    answers, sys.stdout = sys.stdout, sys.stderr
    threading.Thread(target=_end_with_parent, args=(service, answers), daemon=True).start()
    garbage.pause()
    os.environ["MOTO_ACCOUNT_ID"] = "000000000000"
    import waitress  # noqa: PLC0415 - the tests of the functions above need neither of them
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415 - reads the environment when imported

    import_module(f"embedded_localstack.{service}.handler").install()
    for state in states:
        _load(service, state)

    garbage.resume()
    application = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    waitress.serve(application, host="127.0.0.1", port=port, threads=THREADS, channel_timeout=CHANNEL_TIMEOUT_S)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *map(Path, sys.argv[3:]))
