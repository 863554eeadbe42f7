"""Takes a few bounded actions after an alarm (redrive, relieve, roll back) and reports each. See README.md."""
