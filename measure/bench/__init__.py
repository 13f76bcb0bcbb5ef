"""`make bench`: the CPU time of a push in our sender and its peers, against the same load server."""
