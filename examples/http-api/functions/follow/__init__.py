"""The function that redirects to the target of a short link. The code is in handler.py."""
