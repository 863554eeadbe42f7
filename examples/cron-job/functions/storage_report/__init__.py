"""A scheduled report on the objects of a bucket. The code is in handler.py."""
