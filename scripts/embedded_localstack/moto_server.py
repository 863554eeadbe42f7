"""A moto server process whose operations are atomic: `python -m embedded_localstack.moto_server PORT`.

moto checks a condition and writes in two steps without a lock, so that two threads may both win a conditional write.
One lock around every operation makes DynamoDB's guarantee true; moto is pure Python, so nothing is lost by it.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def one_at_a_time(application: Application) -> Application:
    """Wrap a WSGI application: whole requests enter, one by one. A slow sender does not hold the others up."""
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        size = int(length) if length else -1 if environ.get("wsgi.input_terminated") else 0
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(size))
        with lock:
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


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main(port: int) -> None:
    """Serve until standard input closes."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["MOTO_ACCOUNT_ID"] = "000000000000"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415 - reads the environment when imported
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415

    keep_tags_of_new_streams()

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: Any) -> None:
            """One line a request would drown the server's log."""

    application = DomainDispatcherApplication(create_backend_app)
    make_server("127.0.0.1", port, one_at_a_time(application), threaded=True, request_handler=Quiet).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
