"""The commands `dev` and `debug`, which run changed code on the next event."""
