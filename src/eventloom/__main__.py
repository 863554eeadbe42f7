"""`python -m eventloom COMMAND`, which ./eventloom runs."""

from eventloom.cli import main

main()
