"""Sends a summary of each day by mail and notice, and stores it; see README.md."""
