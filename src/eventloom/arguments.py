"""Define the options and argument types that commands share.

`command` and `group` replace click's decorators of the same names, and add --no-color to every command.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from eventloom import clouds, terminal

ENVIRONMENT_VARIABLE = "EVENTLOOM_ENV"

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _disable_color(_context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        terminal.disable_color()


def no_color_option() -> click.Option:
    """Return the option --no-color."""
    about = "print without colours; NO_COLOR=1 does the same"
    return click.Option(
        ["--no-color"], is_flag=True, expose_value=False, is_eager=True, callback=_disable_color, help=about
    )


class Command(click.Command):
    """A click command with the option --no-color."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take the arguments of click.Command."""
        super().__init__(*arguments, **options)
        self.params.append(no_color_option())


class Group(click.Group):
    """A click group with the option --no-color, which its commands have as well."""

    command_class = Command

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take the arguments of click.Group."""
        super().__init__(*arguments, **options)
        self.params.append(no_color_option())


def command(name: str, **options: Any) -> Callable[[Callable[..., Any]], Command]:
    """Return a decorator that makes a function the command `name`. The function may return an exit code."""
    return click.command(name, cls=Command, **options)


def group(name: str, **options: Any) -> Callable[[Callable[..., Any]], Group]:
    """Return a decorator that makes a function the command group `name`."""
    return click.group(name, cls=Group, **options)


def _choose_cloud(_context: click.Context, _option: click.Parameter, name: str | None) -> None:
    if name:
        clouds.choose(name)


def _choose_environment(context: click.Context, option: click.Parameter, name: str | None) -> str:
    """Return the environment, and choose its cloud unless --cloud or CLOUD names one."""
    environment = name or clouds.default_environment()
    if not environment:
        raise click.MissingParameter(
            "name the environment on AWS: --env dev|staging|prod", ctx=context, param=option, param_type="option"
        )
    clouds.choose_for(environment)
    return environment


def _environment_options() -> Decorator:
    about = "environment, a Terraform workspace: local (default), dev, staging, prod"
    environment = click.option(
        "--env", "environment", metavar="NAME", envvar=ENVIRONMENT_VARIABLE, callback=_choose_environment, help=about
    )
    about = "where it runs; by default 'local' is the embedded LocalStack and every other environment is on AWS"
    cloud = click.option(
        "--cloud",
        type=click.Choice([*clouds.CLOUDS]),
        expose_value=False,
        is_eager=True,
        callback=_choose_cloud,
        help=about,
    )
    return lambda function: environment(cloud(function))


environment_option = _environment_options()
"""Adds --env (the parameter `environment`, a name) and --cloud, which decide what clouds.chosen_cloud() is."""


def _use_port(_context: click.Context, _option: click.Parameter, port: int | None) -> None:
    if port:
        clouds.use_port(port)


port_option = click.option(
    "--port",
    type=click.IntRange(1, 65535),
    envvar="EMBEDDED_PORT",
    expose_value=False,
    is_eager=True,
    callback=_use_port,
    help=f"port of the embedded LocalStack (default: EMBEDDED_PORT, or {clouds.DEFAULT_PORT})",
)
"""Adds --port, which decides where the embedded LocalStack is."""

json_option = click.option("--json", "as_json", is_flag=True, help="print JSON on stdout, one object a line")
dry_run_option = click.option("--dry-run", is_flag=True, help="say what would be done, and change nothing")
yes_option = click.option("--yes", "-y", is_flag=True, help="do not ask for confirmation")


class Number(click.ParamType[float]):
    """The type of an option that is a finite number from `minimum` to `maximum`. `exclusive` excludes `minimum`."""

    name = "number"

    def __init__(self, minimum: float = 0, maximum: float = math.inf, *, exclusive: bool = False) -> None:
        """Set the bounds."""
        self._minimum, self._maximum, self._exclusive = minimum, maximum, exclusive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises click's usage error for other values."""
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not math.isfinite(number) or number < self._minimum or (self._exclusive and number == self._minimum):
            self.fail(f"must be {'more than' if self._exclusive else 'at least'} {self._minimum:g}", param, ctx)
        if number > self._maximum:
            self.fail(f"must be at most {self._maximum:g}", param, ctx)
        return number


class Moment(click.ParamType[datetime]):
    """The type of an option that is a time in ISO 8601.

    The time is in UTC unless it has an offset. Fractions of a second are dropped, because EventBridge takes none.
    """

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time. Raises click's usage error for other values."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value).replace(microsecond=0)
        except ValueError:
            self.fail(f"{value!r} is not a time; write it like 2026-05-01T12:30:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


POSITIVE = Number(exclusive=True)
NOT_NEGATIVE = Number()
COUNT = click.IntRange(min=1)
MOMENT = Moment()

minutes_option = partial(click.option, "--minutes", type=COUNT, show_default=True, help="how many minutes to look back")
