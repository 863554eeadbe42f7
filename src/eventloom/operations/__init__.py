"""What the operator's tools share: dlq.py, backfill.py, audit.py, replay.py."""
