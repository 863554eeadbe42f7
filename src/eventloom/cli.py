"""Runs the module of a command with the arguments as they were typed. Usage: ./eventloom COMMAND [ARGUMENTS]"""

import runpy
import sys

COMMANDS = {
    "audit": "operations.audit",
    "backfill": "operations.backfill",
    "build": "deployment.build",
    "demo": "demo",
    "deploy": "deployment.apply",
    "dlq": "operations.dlq",
    "example": "deployment.examples",
    "invoke": "invoke",
    "logs": "monitoring.logs",
    "new-function": "scaffold.new_function",
    "replay": "operations.replay",
    "report": "monitoring.report",
    "saved-plan": "deployment.saved_plan",
    "simulate": "monitoring.simulate",
    "state-bucket": "deployment.state_bucket",
    "thumbnail": "thumbnail",
    "upload": "upload",
    "watch": "monitoring.watch",
}


def main() -> None:
    """Run the command that the first argument names."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in {"-h", "--help"}:
        print(f"{__doc__}\n\nCommands: {', '.join(COMMANDS)}")
        return
    if name not in COMMANDS:
        sys.exit(f"eventloom: no command is named {name}; there are {', '.join(COMMANDS)}")
    del sys.argv[1]
    runpy.run_module(f"eventloom.{COMMANDS[name]}", run_name="__main__", alter_sys=True)
