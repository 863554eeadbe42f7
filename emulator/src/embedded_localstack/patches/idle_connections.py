"""Close the connections of the server's own clients that the other side has closed.

Each function, role and event source mapping has clients of its own. Their pools keep a closed connection until the next
request, which never comes after the function is deleted, so the server would lose a descriptor each time.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import threading
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from botocore.httpsession import URLLib3Session
from urllib3.util.connection import is_connection_dropped

SECONDS = 2
_sessions: "WeakSet[Any]" = WeakSet()


def install() -> None:
    """Remember each client's connections, and look after them in a thread."""
    from localstack.utils.patch import patch  # noqa: PLC0415 - only a running server has it

    @patch(URLLib3Session.__init__)
    def remember(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _sessions.add(self)

    threading.Thread(target=_look, name="idle-connections", daemon=True).start()


def _look() -> None:
    while True:
        time.sleep(SECONDS)
        for session in list(_sessions):
            close_dropped(session._manager.pools)


def close_dropped(pools: Any) -> int:
    """Close the dropped connections of the pools, which open new ones when they need them, and return their number."""
    count = 0
    for key in pools.keys():  # noqa: SIM118 - urllib3's container cannot be iterated over
        pool = pools.get(key)
        for connection in list(pool.pool.queue) if pool and pool.pool else []:
            if connection and connection.sock and is_connection_dropped(connection):
                connection.close()
                count += 1
    return count
