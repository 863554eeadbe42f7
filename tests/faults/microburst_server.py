"""microburst's command line, with one thing mended: run by the environment `faults`, not by the tests' own."""
# mypy: disable-error-code="import-not-found"

from microburst import cli, forward

# It drops the length of what it passes on, without which a body that is cut off looks complete, and S3's answers lack a field.
forward.HOP_BY_HOP -= {"content-length"}

if __name__ == "__main__":
    raise SystemExit(cli.main())
