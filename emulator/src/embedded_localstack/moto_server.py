"""A moto server process whose operations are atomic: `python -m embedded_localstack.moto_server SERVICE PORT [STATE]`.

It serves until its standard input closes. If a file's name came by it, it writes its state there; it begins with STATE if there is
such a file.

moto checks a condition and writes in two steps without a lock, so that two threads may both win a conditional write.
One lock around every operation makes DynamoDB's guarantee true; moto is pure Python, so nothing is lost by it.
"""

import os
import pickle
import sys
import threading
import traceback
from base64 import b64decode
from collections.abc import Callable, Iterable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


_lock = threading.Lock()
# With the partition key, unless a stream was given more: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
RECORD_BYTES = 1024 * 1024


def one_at_a_time(application: Application) -> Application:
    """Wrap a WSGI application: whole requests enter, one by one. A slow sender does not hold the others up."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        size = int(length) if length else -1 if environ.get("wsgi.input_terminated") else 0
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(size))
        with _lock:
            return list(application(environ, start_response))

    return serve


def keep_tags_of_new_streams() -> None:
    """Have Kinesis' CreateStream set the tags it is given: moto drops them, and every later plan would want to add them."""
    from moto.kinesis.responses import KinesisResponse  # noqa: PLC0415 - moto reads the environment when imported

    create = KinesisResponse.create_stream

    def create_stream(self: Any) -> Any:
        answer = create(self)
        if tags := self._get_param("Tags"):
            self.kinesis_backend.add_tags_to_stream(None, self._get_param("StreamName"), tags)
        return answer

    KinesisResponse.create_stream = create_stream  # type: ignore[method-assign]


def limit_records() -> None:
    """Have Kinesis' PutRecord refuse what is too large: moto looks at the records of PutRecords alone."""
    from moto.kinesis.exceptions import RecordSizeExceedsLimit  # noqa: PLC0415 - moto reads the environment when imported
    from moto.kinesis.responses import KinesisResponse  # noqa: PLC0415

    put = KinesisResponse.put_record

    def put_record(self: Any) -> Any:
        if len(b64decode(self._get_param("Data") or "")) + len(self._get_param("PartitionKey") or "") > RECORD_BYTES:
            raise RecordSizeExceedsLimit(position=1)
        return put(self)

    KinesisResponse.put_record = put_record  # type: ignore[method-assign]


def _end_with_parent(service: str) -> None:
    if file := os.fsdecode(sys.stdin.buffer.read()):
        with _lock:
            _save(service, Path(file))
    os._exit(0)


def _backends(service: str) -> dict[str, Any]:
    backends: dict[str, Any] = getattr(import_module(f"moto.{service}.models"), f"{service}_backends")
    return backends


def _save(service: str, file: Path) -> None:
    try:
        file.write_bytes(pickle.dumps(dict(_backends(service))))
    except Exception:
        traceback.print_exc()
        os._exit(1)


def _load(service: str, file: Path) -> None:
    if file.is_file():
        dict.update(_backends(service), pickle.loads(file.read_bytes()))  # noqa: S301 - of the server before


def main(service: str, port: int, *states: Path) -> None:
    """Serve until standard input closes."""
    threading.Thread(target=_end_with_parent, args=(service,), daemon=True).start()
    os.environ["MOTO_ACCOUNT_ID"] = "000000000000"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415 - reads the environment when imported
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415

    keep_tags_of_new_streams()
    limit_records()
    for state in states:
        _load(service, state)

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: Any) -> None:
            """One line a request would drown the server's log."""

    application = DomainDispatcherApplication(create_backend_app)
    make_server("127.0.0.1", port, one_at_a_time(application), threaded=True, request_handler=Quiet).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *map(Path, sys.argv[3:]))
