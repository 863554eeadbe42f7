"""The worker that processes the deliveries. The code is in handler.py."""
