"""`make bench`: our engine and its peers, interleaved, in one report."""
