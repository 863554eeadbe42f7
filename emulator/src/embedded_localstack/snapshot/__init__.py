"""A server's whole state in a folder, so that `down` and `restart` lose nothing.

LocalStack keeps its state in memory. Its services can hand it out and take it back; the free edition does not write it
to a disk. control.py fixes the order; each other module handles one kind of state.
"""
