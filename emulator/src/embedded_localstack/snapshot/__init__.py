"""A server's whole state in a folder, so that it can be stopped and started again with nothing lost (`restart`).

LocalStack keeps its state in memory. Its services know how to hand it out and what to do when it is back; writing it down is left
out of the free edition. control.py says what happens in which order; the other modules each know one sort of state.
"""
