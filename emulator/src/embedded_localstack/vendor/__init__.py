"""Copies of other people's code, unchanged. The head of each file says why, and from which release."""
