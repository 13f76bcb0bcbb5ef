"""`make bench`: what a push costs our sender and its peers, in CPU time, against the same load server."""
