"""The error that users see as a sentence instead of a traceback."""

import click


class UserError(click.ClickException):
    """Something that the user can fix: nothing is deployed, a file is missing, no result arrives in time.

    The text is one sentence that says what to do next. The command ends with exit code 1.
    """

    exit_code = 1
