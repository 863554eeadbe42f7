"""Send photos through the deployed pipeline and show what became of them. Usage: upload.py [--env NAME] FILE..."""

from pathlib import Path

from rich.console import Console

from eventloom import errors
from eventloom.catalog import upload_all, wait
from eventloom.demo import results_table
from eventloom.terminal import ENV, environment, parser


def main() -> None:
    """Upload the files named, wait for their results, print them. Raises UserError if one does not come."""
    arguments = parser(__doc__, ENV)
    arguments.add_argument("files", nargs="+", type=Path, metavar="FILE")
    options = arguments.parse_args()
    for file in options.files:
        if not file.is_file():
            arguments.error(f"{file} is not a file")
    console = Console()
    outputs = environment(options.env)
    with console.status(f"sending {len(options.files)} file(s)"):
        results = list(wait(outputs, list(upload_all(outputs, options.files))))
    console.print(results_table(results))


if __name__ == "__main__":
    errors.run("upload", main)
