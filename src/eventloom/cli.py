"""Eventloom's command line. A command's module is imported only when the command is used."""

import errno
import importlib
import sys
from dataclasses import dataclass
from typing import Any

import click

import eventloom
from eventloom.arguments import Group
from eventloom.errors import UserError


@dataclass(frozen=True)
class Entry:
    """A command for the help page. `target` is module:name, and `resumes` means that a repeated command continues."""

    target: str
    summary: str
    resumes: bool = False

    def load(self) -> click.Command:
        """Import the command's module and return the command."""
        module, _, name = self.target.partition(":")
        loaded: click.Command = getattr(importlib.import_module(f"eventloom.{module}"), name)
        return loaded


SECTIONS: dict[str, dict[str, Entry]] = {
    "Try it": {
        "demo": Entry("demo:demo", "Deploy to the embedded LocalStack and send sample photos through."),
        "upload": Entry("upload:upload", "Send files or folders through the deployed pipeline."),
        "thumbnail": Entry("thumbnail:thumbnail", "Make thumbnails of local files, without any cloud."),
        "open": Entry("open_gallery:open_gallery", "Print or open the gallery's address, with its key."),
    },
    "Deploy": {
        "build": Entry("deployment.commands:build_command", "Package functions into build/NAME.zip."),
        "preflight": Entry("deployment.commands:preflight_command", "Report what an account lacks for an environment."),
        "plan": Entry("deployment.commands:plan", "Show what a deployment would change."),
        "deploy": Entry("deployment.commands:deploy", "Build, plan and apply an environment."),
        "apply-saved": Entry("deployment.commands:apply_saved", "Apply the plan that 'plan' saved."),
        "saved-plan": Entry("deployment.commands:saved_plan_group", "Hand a saved plan to another machine."),
        "destroy": Entry("deployment.commands:destroy", "Remove an environment."),
        "unlock": Entry("deployment.commands:unlock", "Show who holds the state's lock, and remove it."),
        "outputs": Entry("deployment.commands:show_outputs", "Print the Terraform outputs of an environment."),
        "state-bucket": Entry("deployment.commands:state_bucket_command", "Make the bucket for Terraform's state."),
        "github-roles": Entry(
            "deployment.github_commands:github_roles_command", "Print or make the roles of GitHub's workflow."
        ),
        "example": Entry("deployment.example_commands:example", "Deploy or destroy one of examples/."),
        "new-function": Entry(
            "scaffold.new_function:new_function", "Write a new function with its test and Terraform."
        ),
        "remove-function": Entry(
            "scaffold.remove_function:remove_function", "Delete a function, its test and its Terraform."
        ),
    },
    "Local cloud": {
        "up": Entry("local_cloud:up", "Start the embedded LocalStack."),
        "down": Entry("local_cloud:down", "Stop it; what is deployed is kept."),
        "restart": Entry("local_cloud:restart", "Stop it and start it again with everything in it."),
        "status": Entry("status:status", "Show how an environment is doing, and which calls IAM denied."),
    },
    "Develop": {
        "dev": Entry("development.dev:dev", "Run changed code on the next event, with the logs of all functions."),
        "debug": Entry("development.debug:debug", "Stop in a deployed function, with an editor or with pdb."),
    },
    "Look": {
        "logs": Entry("monitoring.logs:logs", "Print or follow a function's log."),
        "trace": Entry("monitoring.trace:trace", "Show the path of one event through everything."),
        "watch": Entry("monitoring.watch:watch", "Show live figures of an environment."),
        "report": Entry("monitoring.report:report", "Write the same figures as a page with charts."),
        "invoke": Entry("invoke:invoke", "Call a deployed function with an event."),
    },
    "Operate": {
        "dlq": Entry("operations.dlq:dlq", "List, redrive or discard messages that failed for good.", resumes=True),
        "backfill": Entry(
            "operations.backfill:backfill_command", "Send existing objects through the pipeline.", resumes=True
        ),
        "audit": Entry("operations.audit:audit", "Compare buckets and catalog, and repair what differs.", resumes=True),
        "upgrade-catalog": Entry(
            "operations.upgrade_catalog:upgrade_catalog_command",
            "List the photos of an older version by date.",
            resumes=True,
        ),
        "restore-items": Entry(
            "operations.restore_items:restore_items", "Copy items of a restored table back.", resumes=True
        ),
        "replay": Entry(
            "operations.replay:replay", "Send saved events, or an EventBridge archive, again.", resumes=True
        ),
        "simulate": Entry("monitoring.simulate:simulate_command", "Estimate latency, cost and limits under load."),
    },
    "Shell": {
        "completion": Entry("completion:completion", "Print the shell's completion script."),
    },
}
ENTRIES = {name: entry for entries in SECTIONS.values() for name, entry in entries.items()}

EXIT_CODES = """\b
Exit codes:
  0    done
  1    a problem that you can fix; the message says how
  2    wrong usage
  3    something was found: drift, failures, rejected files under --strict
  130  interrupted"""


class Eventloom(Group):
    """The top-level group. It imports a command's module when the command runs, and explains AWS's errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands in the order of the sections."""
        return [*ENTRIES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command with that name, or None."""
        return ENTRIES[cmd_name].load() if cmd_name in ENTRIES else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the commands by section, without importing them."""
        for section, entries in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, entry.summary) for name, entry in entries.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and exit with the code that it returns."""
        try:
            code = super().invoke(ctx)
        except KeyboardInterrupt:
            if ctx.invoked_subcommand and ENTRIES[ctx.invoked_subcommand].resumes:
                click.echo("interrupted; the same command continues where it stopped", err=True)
            ctx.exit(130)
        except Exception as error:  # Some errors of boto3 are also OSErrors.
            text = _aws_text(error)
            if text is None and isinstance(error, OSError) and error.errno != errno.EPIPE:
                text = str(error)
            if text is None:
                raise
            raise UserError(text) from error
        if code:
            ctx.exit(code)


def _aws_text(error: Exception) -> str | None:
    """Explain an error of boto3. Returns None for other errors, and if the command did not import boto3."""
    if "botocore" not in sys.modules:
        return None
    from eventloom.aws_errors import EXPLAINED, explain  # noqa: PLC0415 - imports botocore

    return explain(error) if isinstance(error, EXPLAINED) else None


@click.group(
    "eventloom",
    cls=Eventloom,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(eventloom.__version__, prog_name="eventloom")
def main() -> None:
    """Event-driven automation on AWS Lambda: deploy, try, watch and operate it.

    Without --env, commands work on the environment 'local' in the embedded LocalStack. With --env dev, staging or prod
    they work on AWS.
    """
