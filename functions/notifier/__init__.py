"""Notify people and programs once when an image becomes ready or is rejected; see README.md."""
