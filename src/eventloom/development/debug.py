"""The command `debug`: debug a deployed function with an editor, or with pdb in this terminal."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from eventloom import advice, arguments, terminal
from eventloom.catalog import deployed_function
from eventloom.clouds import BUILD, ROOT, chosen_cloud, client
from eventloom.deployment.build import FUNCTIONS
from eventloom.deployment.outputs import current_outputs
from eventloom.development import breakpoints, debug_terminal, editors
from eventloom.development.debugging import CODE, DEFAULT_PORT, HOST, Debugged, Plan, free_port
from eventloom.development.dev import make_worker
from eventloom.development.session import Workshop
from eventloom.errors import UserError

POLL_S = 0.3


@arguments.command("debug")
@click.argument("name", required=False, metavar="[FN]")
@click.option("--pdb", "in_terminal", is_flag=True, help="stop with pdb in this terminal, without an editor")
@click.option(
    "--break", "places", multiple=True, metavar="FILE:LINE", help="with --pdb: stop there (default: in the handler)"
)
@click.option(
    "--listen",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help=f"where the function waits for the debugger (default: {DEFAULT_PORT}, or the next free port)",
)
@click.option("--configure", type=click.Choice([*editors.EDITORS]), help="write the editor's configuration first")
@click.option(
    "--functions",
    type=click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True),
    default=FUNCTIONS,
    help="folder of the functions (default: functions/)",
)
@arguments.environment_option
def debug(  # noqa: PLR0913, PLR0917 - click passes options as arguments
    name: str | None,
    in_terminal: bool,
    places: tuple[str, ...],
    listen: int | None,
    configure: str | None,
    functions: Path,
    environment: str,
) -> None:
    """Run the function FN under a debugger until Ctrl-C, with the saved code. It handles real events of every trigger.

    The function waits for a debugger: an editor that attaches to the port which is printed, or with --pdb this
    terminal. One environment handles one event after the other. While a debugger is attached there is no timeout, and
    messages stay hidden. Afterwards the function runs as before.

    It works in the embedded LocalStack. --configure writes .vscode/launch.json or .run/Eventloom.run.xml.

    \b
    Examples:
      ./eventloom debug thumbnailer --configure vscode
      ./eventloom debug thumbnailer --pdb
      ./eventloom debug thumbnailer --pdb --break functions/thumbnailer/handler.py:40
    """
    if not name and not configure:
        raise click.UsageError("name a function, or an editor with --configure", click.get_current_context())
    if places and not in_terminal:
        raise click.UsageError("--break is for --pdb; set breakpoints in the editor", click.get_current_context())
    if configure:
        file = editors.EDITORS[configure](ROOT, functions, listen or DEFAULT_PORT)
        terminal.note(f"{file.relative_to(ROOT)} has the configuration '{editors.NAME}'")
    if not name:
        return
    refuse_others(name)
    outputs = current_outputs(environment)
    facts = deployed_function(outputs, name)
    if not (functions / name).is_dir():
        raise UserError(f"{functions} has no {name}; run debug where its code is")
    stops = breakpoints.chosen(places, name, functions) if in_terminal else []
    plan = Plan("pdb" if in_terminal else "debugpy", free_port(listen), [(str(functions), CODE)], stops)
    worker = make_worker(name, Workshop(functions, BUILD, chosen_cloud().architecture), facts["function_name"])
    try:
        worker.begin()
        version = client("lambda").get_alias(FunctionName=facts["function_name"], Name="live")["FunctionVersion"]
        run(name, Debugged(str(chosen_cloud().endpoint), f"{facts['arn']}:{version}", plan), plan)
    finally:
        worker.end()
        command = advice.command(environment, "deploy")
        terminal.note(f"the last saved code stays deployed; {command} makes Terraform and the code agree")


def refuse_others(name: str) -> None:
    """Raise UserError if the chosen cloud is not the embedded LocalStack."""
    cloud = chosen_cloud().name
    here = f"./eventloom up, ./eventloom deploy, ./eventloom debug {name}"
    if cloud == "aws":
        raise UserError(
            "nobody can attach a debugger to a function on AWS; save the event that fails with './eventloom invoke "
            f"{name} --message ID --record NAME', and debug it in the embedded LocalStack: {here}"
        )
    if cloud != "embedded":
        raise UserError(
            f"functions in {cloud} are containers that LocalStack starts without a debugger; debug in the embedded "
            f"LocalStack: {here}"
        )


def run(name: str, function: Debugged, plan: Plan) -> None:
    """Debug the function until Ctrl-C, or until the user ends pdb."""
    function.begin()
    try:
        if plan.kind == "pdb":
            debug_terminal.pdb(plan.port, function, sys.stdin.buffer, sys.stdout.buffer)
        else:
            follow(name, plan.port, function)
    finally:
        terminal.note("the debugging ends; the current event is handled first")
        function.end()
        terminal.note(f"{name} runs as before")


def follow(
    name: str,
    port: int,
    function: debug_terminal.State,
    say: Callable[[str], None] = terminal.note,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Print changes of the function's state until Ctrl-C, while an editor debugs it."""
    texts = {
        "waiting": (
            f"{name} waits for a debugger on {HOST}:{port}\n"
            f"  VS Code, PyCharm: run the configuration '{editors.NAME}' (--configure vscode|pycharm writes it)\n"
            f"  other editors: attach with the Debug Adapter Protocol\n"
            "  Ctrl-C ends the debugging"
        ),
        "attached": f"a debugger is attached; the next event of any trigger stops at its breakpoints, such as that of "
        f"./eventloom invoke {name}",
        "ended": "the function ended; the next event starts it again",
    }
    state = event = ""
    while True:
        facts = function.state()
        if facts["state"] != state:
            state = facts["state"]
            if state in texts:
                say(texts[state])
        if facts["event"] != event:
            say(f"event {facts['event']}" if facts["event"] else f"event {event} is handled")
            event = facts["event"]
        sleep(POLL_S)
