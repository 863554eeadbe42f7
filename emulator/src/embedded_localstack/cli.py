"""Run the commands up, run, down, restart, status, logs and layer."""

import argparse
import json
import os
import platform
import sys
import time
from functools import partial
from pathlib import Path

from embedded_localstack import foreground, inventory, isolation, powertools, public_layers
from embedded_localstack.launch import Started, up
from embedded_localstack.settings import LISTEN_VARIABLE, LOOPBACK
from embedded_localstack.state import (
    DEFAULT_FOLDER,
    DEFAULT_PORT,
    FOLDER_VARIABLE,
    PORT_VARIABLE,
    Home,
    LaunchError,
    Run,
)
from embedded_localstack.status import report, text
from embedded_localstack.stop import down, forget, restart

EPILOG = f"""\
environment:
  {PORT_VARIABLE}    the port, if --port is not given (default {DEFAULT_PORT})
  {FOLDER_VARIABLE}    the folder, if --home is not given (default ./{DEFAULT_FOLDER})
  {LISTEN_VARIABLE}  up: the address to listen on (default {LOOPBACK}; anyone who reaches the port can run code)
  IAM_ENFORCE=0    up: check no permissions
  IAM_AUDIT=1      up: record every decision of IAM in audit.jsonl

exit codes:
  0   done; status: running
  1   failed; status: runs, but does not answer
  2   wrong usage
  3   status: not running
  4   another program has the port
"""
STATUS_CODES = {"running": 0, "unhealthy": 1, "stale": 3, "stopped": 3, "foreign": 3}
COMMANDS = (
    ("up", "start it, with everything that the last down kept"),
    ("run", "start it in the foreground, as up does, and stop it at SIGTERM or Ctrl-C, as down does"),
    ("down", "stop it, and keep what is deployed in it for the next up"),
    ("restart", "stop it and start it again with everything that is in it"),
    ("status", "show whether it runs, and which calls IAM refused"),
    ("logs", "print what the server logged"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _layer(options) if options.command == "layer" else _run(options, Home(options.port, options.home))
    except LaunchError as error:
        print(f"embedded LocalStack: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"embedded LocalStack: {error}; choose a folder that can be written to with --home", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, home: Home) -> int:
    match options.command:
        case "up":
            return _up(home)
        case "run":
            print(f"embedded LocalStack: {foreground.run(home, foreground.stop_signal(), partial(_say_started, home))}")
            return 0
        case "down":
            return _down(home, everything=options.forget, without=options.without)
        case "restart":
            began = time.monotonic()
            run, rest = restart(home, options.without), f" but {', '.join(options.without)}" if options.without else ""
            return _say_where(
                home, run, f"restarted in {time.monotonic() - began:.1f} s with all that was in it{rest},"
            )
        case "status":
            result = report(home)
            print(json.dumps(result, indent=2) if options.json else text(result))
            return STATUS_CODES[result["state"]]
    return _logs(home, follow=options.follow)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="embedded-localstack",
        description="LocalStack on this machine, without Docker, with IAM enforced.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    # argparse converts a text default like an argument, so a wrong EMBEDDED_PORT is reported as wrong usage too.
    port = os.environ.get(PORT_VARIABLE) or str(DEFAULT_PORT)
    for name, about in COMMANDS:
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument(
            "--port", type=_port, default=port, help=f"port on 127.0.0.1 ({PORT_VARIABLE}; now %(default)s)"
        )
        command.add_argument(
            "--home", type=Path, help=f"the folder that it writes to ({FOLDER_VARIABLE}; default ./{DEFAULT_FOLDER})"
        )
        if name == "down":
            command.add_argument("--forget", action="store_true", help="remove what is deployed too, and list it")
        if name in {"down", "restart"}:
            command.add_argument(
                "--without", type=_services, default=[], metavar="SERVICE,...", help="give up the state of services"
            )
        if name == "status":
            command.add_argument("--json", action="store_true", help="print JSON")
        if name == "logs":
            command.add_argument("-f", "--follow", action="store_true", help="keep printing")
    _add_layer(commands)
    return parser


def _add_layer(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "make the zip file of a public layer of AWS, for LAMBDA_LAYERS"
    layers = commands.add_parser("layer", help=about, description=about).add_subparsers(dest="layer", required=True)
    about = "make the layer of Powertools for AWS Lambda (Python) from PyPI"
    command = layers.add_parser("powertools", help=about, description=about)
    command.add_argument("output", type=Path, metavar="OUTPUT.zip", help="the file to write")
    command.add_argument("--python", choices=powertools.PYTHONS, default="3.13", help="of the runtime (%(default)s)")
    machine = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    command.add_argument(
        "--architecture", choices=powertools.MACHINES, default=machine, help="of the function (here %(default)s)"
    )
    command.add_argument("--version", default=powertools.VERSION, help="of Powertools (%(default)s)")


def _services(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def _port(value: str) -> int:
    try:
        port = int(value)
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{value} is not a port: use a number from 1 to 65535")
    return port


def _up(home: Home) -> int:
    began = time.monotonic()
    started = up(home)
    _say_started(home, started, time.monotonic() - began)
    return 0


def _say_started(home: Home, started: Started, seconds: float | None = None) -> None:
    if started.lost:
        lost = (
            f"the server before (process {started.lost.pid}) ended without being stopped: what was deployed in it "
            f"is lost"
        )
        print(f"embedded LocalStack: {lost}")
    restored = " with everything that was kept" if started.restored else ""
    duration = "" if seconds is None else f" in {seconds:.1f} s"
    _say_where(home, started.run, f"started{duration}{restored}" if started.now else "runs already")
    if not started.run.iam:
        print("embedded LocalStack: IAM is NOT enforced (IAM_ENFORCE=0): missing permissions will show on AWS only")
    if started.now and (reason := isolation.missing()):
        print(
            f"embedded LocalStack: functions share the file system of this machine, because the kernel refuses a mount "
            f"namespace ({reason})"
        )
    if started.now and (address := os.environ.get(LISTEN_VARIABLE, LOOPBACK)) != LOOPBACK:
        print(
            f"embedded LocalStack: listens on {address}: anyone who reaches the port can run code in this environment"
        )


def _say_where(home: Home, run: Run, what: str) -> int:
    for service, reason in home.failures().items():
        print(
            f"embedded LocalStack: the state of {service} could not be restored ({reason}); {service} is empty, and "
            f"what was saved is kept in {home.unrestored}",
            file=sys.stderr,
        )
    print(f"embedded LocalStack: {what} on http://127.0.0.1:{run.port} (process {run.pid}); log: {home.log}")
    return 0


def _down(home: Home, *, everything: bool, without: list[str]) -> int:
    if not everything:
        print(f"embedded LocalStack: {down(home, without)}")
        return 0
    forgotten = forget(home)
    if not forgotten.names:
        print(f"embedded LocalStack: {forgotten.text}; there was nothing to remove")
        return 0
    print(f"embedded LocalStack: {forgotten.text}; removed with it, in {inventory.regions()[0]}:")
    print("\n".join(inventory.lines(forgotten.names)))
    return 0


def _layer(options: argparse.Namespace) -> int:
    size = powertools.make(options.output, options.python, options.architecture, options.version)
    pattern = public_layers.powertools(options.version, options.python, options.architecture)
    print(
        f"embedded LocalStack: {options.output} has Powertools {options.version} for Python {options.python} "
        f"({size / 1e6:.1f} MB); start the server with it:\n"
        f"{public_layers.VARIABLE}='{pattern}={options.output}' embedded-localstack up"
    )
    return 0


def _logs(home: Home, *, follow: bool) -> int:
    if not home.log.exists():
        print(f"embedded LocalStack: no log yet ({home.log}); start it with: embedded-localstack up", file=sys.stderr)
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
                    log.seek(0)  # a new server has started a new log
                time.sleep(0.3)
        except (KeyboardInterrupt, BrokenPipeError):
            return 0
