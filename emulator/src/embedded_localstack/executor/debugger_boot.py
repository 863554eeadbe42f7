"""Wait for a debugger, and then run AWS's runtime client. A debugged function runs this program.

The process has its own file system, which may not contain this file. So it receives this text with `python -c`, and
this module imports only the standard library. The settings are in the variable EMBEDDED_LOCALSTACK_DEBUGGER, as JSON:

    kind          "debugpy" or "pdb"
    port          the port on 127.0.0.1 where the debugger connects
    package       the folder of debugpy
    mappings      pairs of a folder of the developer and the folder where the function has the same files
    breakpoints   for pdb: pairs of a file below the code's folder and a line
"""

import contextlib
import importlib.util
import json
import os
import pdb
import runpy
import socket
import sys
from typing import Any

TASK_ROOT = "/var/task"


def real(path: str) -> str:
    """Return the real location of a path of the code, which differs if the kernel refuses a mount namespace."""
    return os.environ.get("LAMBDA_TASK_ROOT", TASK_ROOT) + path.removeprefix(TASK_ROOT)


def wait_for_debugpy(settings: dict[str, Any]) -> None:
    """Listen with debugpy, and return when a client has set its breakpoints.

    debugpy is imported from its folder, so the function cannot import other packages that are installed beside debugpy.
    """
    mappings = [(local, real(remote)) for local, remote in settings["mappings"]]
    os.environ["PATHS_FROM_ECLIPSE_TO_PYTHON"] = json.dumps(mappings)
    init = os.path.join(settings["package"], "__init__.py")  # noqa: PTH118 - pathlib costs 10 ms at every cold start
    spec = importlib.util.spec_from_file_location("debugpy", init, submodule_search_locations=[settings["package"]])
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no debugpy in {settings['package']}")
    debugpy = sys.modules["debugpy"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(debugpy)
    debugpy.listen(("127.0.0.1", settings["port"]))
    debugpy.wait_for_client()
    del os.environ["PATHS_FROM_ECLIPSE_TO_PYTHON"]


class Terminal(pdb.Pdb):
    """A pdb session over a TCP connection. When the connection ends, the function continues."""

    def __init__(self, connection: socket.socket) -> None:
        stream = connection.makefile("rw", encoding="utf-8", errors="replace", buffering=1)
        super().__init__(stdin=stream, stdout=stream, nosigint=True, readrc=False)
        self.use_rawinput = False
        self._stream, self._connection = stream, connection

    def leave(self, *_: Any) -> bool:
        """Continue without breakpoints, and close the connection."""
        self.clear_all_breaks()
        self.set_continue()
        sys.breakpointhook = lambda *_, **__: None
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        return True

    do_quit = do_q = do_exit = do_EOF = leave  # type: ignore[assignment]

    def interaction(self, *arguments: Any, **more: Any) -> None:
        """Read and run commands. If the connection is closed, continue the function."""
        try:
            super().interaction(*arguments, **more)
        except (OSError, ValueError):
            self.leave()

    def watch(self, breakpoints: list[tuple[str, int]]) -> None:
        """Stop at the breakpoints from now on, and where the code calls breakpoint()."""
        self.reset()
        self.botframe = sys._getframe()
        for file, line in breakpoints:
            if problem := self.set_break(real(f"{TASK_ROOT}/{file}"), line):
                self.message(f"*** {problem}")
        sys.breakpointhook = lambda *_, **__: self.set_trace(sys._getframe(1))
        self._set_stopinfo(self.botframe, None, -1)  # type: ignore[attr-defined]
        sys.settrace(self.trace_dispatch)


def wait_for_terminal(settings: dict[str, Any]) -> None:
    """Listen, and start pdb when a client connects."""
    with socket.create_server(("127.0.0.1", settings["port"])) as server:
        connection, _ = server.accept()
    Terminal(connection).watch(settings["breakpoints"])


def main() -> None:
    """Wait for the debugger, and run the handler that is the only argument."""
    settings = json.loads(os.environ.pop("EMBEDDED_LOCALSTACK_DEBUGGER"))
    print(f"the debugger may connect to 127.0.0.1:{settings['port']}", flush=True)
    (wait_for_debugpy if settings["kind"] == "debugpy" else wait_for_terminal)(settings)
    print("the debugger is connected", flush=True)
    sys.argv[0], sys.path[0] = "awslambdaric", os.getcwd()  # noqa: PTH109 - as above; `python -m` has this folder
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
