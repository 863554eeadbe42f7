"""Command line: up, down, restart, status, logs."""

import argparse
import json
import sys
import time
from pathlib import Path

from embedded_localstack.launch import down, restart, up
from embedded_localstack.state import DEFAULT_PORT, Home, LaunchError
from embedded_localstack.status import report, text

EXIT_CODES = """\
exit codes:
  0   done; status: running
  1   could not be done; status: stale or not answering
  2   wrong usage
  3   status: stopped
  4   the port belongs to another server
"""
STATUS_CODES = {"running": 0, "unhealthy": 1, "stale": 1, "stopped": 3, "foreign": 4}


def main(arguments: list[str] | None = None) -> int:
    """Run a command. Returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options, Home(options.port, options.home))
    except LaunchError as error:
        print(f"embedded LocalStack: {error}", file=sys.stderr)
        return 4 if "is taken by" in str(error) else 1
    except OSError as error:
        print(f"embedded LocalStack: {error}; choose a folder that can be written to with --home", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, home: Home) -> int:
    match options.command:
        case "up":
            return _up(home)
        case "down":
            print(f"embedded LocalStack: {down(home)}")
            return 0
        case "restart":
            return _restart(home)
        case "status":
            result = report(home)
            print(json.dumps(result, indent=2) if options.json else text(result))
            return STATUS_CODES[result["state"]]
    return _logs(home, follow=options.follow)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="embedded_localstack",
        description="LocalStack on this machine, without Docker, with IAM enforced.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("up", "start it, unless it runs already (IAM_ENFORCE=0 leaves IAM out, IAM_AUDIT=1 records every decision)"),
        ("down", "stop it and everything it started"),
        ("restart", "stop it and start it again with everything that is in it"),
        ("status", "is it running, and which calls did IAM refuse"),
        ("logs", "what the server printed"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--port", type=_port, default=DEFAULT_PORT, help="port on 127.0.0.1 (default %(default)s)")
        command.add_argument("--home", type=Path, help="the folder it writes to (default build/localstack, or build/localstack-PORT)")
        if name == "status":
            command.add_argument("--json", action="store_true", help="for programs")
        if name == "logs":
            command.add_argument("-f", "--follow", action="store_true", help="go on printing")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{port} is no port: choose one from 1 to 65535")
    return port


def _up(home: Home) -> int:
    began, kept = time.monotonic(), home.snapshot.is_dir()
    run, started = up(home)
    how = f"started in {time.monotonic() - began:.1f} s{' with all that a restart kept' if kept else ''}" if started else "runs already"
    print(f"embedded LocalStack: {how} on http://127.0.0.1:{run.port} (process {run.pid}); log: {home.log}")
    if not run.iam:
        print("embedded LocalStack: IAM is NOT enforced (IAM_ENFORCE=0): missing permissions will show on AWS only")
    return 0


def _restart(home: Home) -> int:
    began = time.monotonic()
    run = restart(home)
    how = f"restarted in {time.monotonic() - began:.1f} s with all that was in it"
    print(f"embedded LocalStack: {how}, on http://127.0.0.1:{run.port} (process {run.pid}); log: {home.log}")
    return 0


def _logs(home: Home, *, follow: bool) -> int:
    if not home.log.exists():
        print(f"no log yet: {home.log}", file=sys.stderr)
        return 1
    with home.log.open("rb") as log:
        try:
            while True:
                for line in log:
                    sys.stdout.buffer.write(line)
                sys.stdout.flush()
                if not follow:
                    return 0
                if home.log.stat().st_size < log.tell():
                    log.seek(0)  # a new server began it anew
                time.sleep(0.3)
        except (KeyboardInterrupt, BrokenPipeError):
            return 0
