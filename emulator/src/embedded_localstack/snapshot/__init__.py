"""Save a server's whole state in a folder, so that `down` and `restart` lose nothing.

LocalStack keeps its state in memory. Its services can export and import their state, but the free edition does not
write it to disk. control.py controls the order of the steps. Each other module handles one kind of state.
"""
