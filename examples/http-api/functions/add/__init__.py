"""The function that adds a short link. The code is in handler.py."""
