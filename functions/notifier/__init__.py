"""Tells people and programs, once, that an image became ready or was rejected; see README.md."""
