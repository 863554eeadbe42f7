"""Send photos through the deployed pipeline and show what became of them. Usage: upload.py FILE..."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from demo import results_table
from pipeline import PipelineError, upload_all, wait


def main() -> None:
    """Upload the files named, wait for their results, print them; exit 1 if one does not come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files = parser.parse_args().files
    for file in files:
        if not file.is_file():
            parser.error(f"{file} is not a file")
    console = Console()
    try:
        with console.status(f"sending {len(files)} file(s)"):
            results = list(wait(list(upload_all(files))))
    except PipelineError as error:
        sys.exit(f"upload: {error}")
    console.print(results_table(results))


if __name__ == "__main__":
    main()
