"""The commands that operate an environment: dlq, backfill, audit and replay."""
