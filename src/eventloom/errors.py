"""Define the error that the command line shows as a message without a traceback."""

import click


class UserError(click.ClickException):
    """A problem that the user can fix, such as a missing file or an environment that is not deployed.

    The text names the problem and the next step. The command ends with exit code 1.
    """

    exit_code = 1
