"""The inner loop: run changed code on the next event."""
