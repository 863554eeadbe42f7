"""Import a function's handler as Lambda does, and report the error. This script runs in Lambda's Python.

Usage: python importer.py MODULE FOLDER...

The script imports the handler once to load the dependencies. For each line of stdin it then forks and imports the
function's modules again in the child. It prints the traceback as a JSON string on one line, or "" if the import works.
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
    """Import a module, and return the traceback.

    Returns "" if the module has a lambda_handler, and if a request to AWS failed during the import.
    """
    try:
        handler = importlib.import_module(module)
        return "" if hasattr(handler, "lambda_handler") else f"{module} has no lambda_handler"
    except BaseException as error:
        # This process has no credentials, so the result of a request on Lambda is unknown.
        if type(error).__module__.startswith("botocore"):
            return ""
        return traceback.format_exc()


def in_child(module: str) -> str:
    """Import a module in a child process, and return the traceback, or "" if the import works."""
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
    os.dup2(2, 1)  # Output of the handler must not mix with the answers.
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
