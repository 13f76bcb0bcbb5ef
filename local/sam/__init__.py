"""`sam local` on the local stack: the addresses by which its containers find AWS and the fake networks."""
