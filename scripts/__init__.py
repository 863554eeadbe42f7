"""Chores of contributors; run from the root of the checkout as `python -m scripts.NAME`."""
