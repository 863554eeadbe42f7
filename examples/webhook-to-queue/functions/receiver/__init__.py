"""The receiver of webhooks. The code is in handler.py."""
