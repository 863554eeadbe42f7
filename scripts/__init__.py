"""Scripts for contributors. Run them from the root of the checkout as `python -m scripts.NAME`."""
