"""Compare the thumbnailer's engine with its peers, for `make bench`."""
