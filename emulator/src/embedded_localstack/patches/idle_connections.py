"""Close unused connections of the server's own clients, and discard unused clients.

Each function, role and event source mapping has its own clients. Their pools keep a closed connection until the next
request. After a function is deleted there is no next request, so its connections would leak file descriptors.
LocalStack also keeps up to 256 clients of ended sessions. Each of them takes about 0.3 MB and a connection.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import threading
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from botocore.httpsession import URLLib3Session
from urllib3.util.connection import is_connection_dropped

SECONDS = 2
_sessions: "WeakSet[Any]" = WeakSet()


def install() -> None:
    """Track each client's connections, close unused ones in a thread, and do not cache the clients of sessions."""
    from localstack.aws.connect import ClientFactory  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    Patch(ClientFactory, "_get_client", shared_clients(ClientFactory._get_client)).apply()

    @patch(URLLib3Session.__init__)
    def remember(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _sessions.add(self)

    threading.Thread(target=_look, name="idle-connections", daemon=True).start()


def shared_clients(cached: Any) -> Callable[..., Any]:
    """Return a method that returns the same client for the same settings.

    A client of a session or with a merged configuration is never requested again once its users are gone. So it is
    cached only as long as somebody uses it.

    Args:
        cached: the cached method of LocalStack's factory.
    """
    clients: WeakValueDictionary[Any, Any] = WeakValueDictionary()

    def get_client(self: Any, **settings: Any) -> Any:
        if not settings["aws_session_token"] and settings["config"] is self._config:
            return cached(self, **settings)
        key = (self, *sorted(settings.items(), key=lambda setting: setting[0]))
        if (client := clients.get(key)) is None:
            client = clients[key] = cached.__wrapped__(self, **settings)
        return client

    return get_client


def _look() -> None:
    while True:
        time.sleep(SECONDS)
        for session in list(_sessions):
            close_dropped(session._manager.pools)


def close_dropped(pools: Any) -> int:
    """Close the dropped connections of the pools and return their number. The pools open new connections on demand."""
    count = 0
    for key in pools.keys():  # noqa: SIM118 - urllib3's container cannot be iterated over
        pool = pools.get(key)
        for connection in list(pool.pool.queue) if pool and pool.pool else []:
            if connection and connection.sock and is_connection_dropped(connection):
                connection.close()
                count += 1
    return count
