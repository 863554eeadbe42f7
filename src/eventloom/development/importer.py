"""Import a function's handler as Lambda does, and report the error. This script runs in Lambda's Python.

Usage: python importer.py MODULE FOLDER...

It imports the handler once, so that the dependencies are loaded. Then it answers each line of stdin with a line of
stdout: it forks, imports the handler's own modules again in the child, and prints the traceback as a JSON text, "" if
there is none.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import traceback


def own_modules(folder: str) -> list[str]:
    """Return the names of the loaded modules whose files are in a folder."""
    prefix = os.path.realpath(folder) + os.sep
    return [
        name
        for name, module in list(sys.modules.items())
        if os.path.realpath(getattr(module, "__file__", None) or "").startswith(prefix)
    ]


def problem(module: str) -> str:
    """Import a module, and return the traceback; "" if it has a lambda_handler, or asks AWS something at INIT."""
    try:
        handler = importlib.import_module(module)
        return "" if hasattr(handler, "lambda_handler") else f"{module} has no lambda_handler"
    except BaseException as error:
        # Here are no credentials. What a request would answer there is not known.
        if type(error).__module__.startswith("botocore"):
            return ""
        return traceback.format_exc()


def in_child(module: str) -> str:
    """Import a module in a child process, and return the traceback, "" if it works."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        with os.fdopen(writing, "w") as answer:
            answer.write(problem(module))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # processes that the handler started
    return text


def main() -> None:
    """Answer requests until stdin ends."""
    module, functions, *folders = sys.argv[1:]
    sys.path[:0] = [functions, *folders]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What the handler prints is not the answer.
    problem(module)
    for name in own_modules(functions):
        del sys.modules[name]
    importlib.invalidate_caches()
    for _ in sys.stdin:
        importlib.invalidate_caches()
        answers.write(json.dumps(in_child(module)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
