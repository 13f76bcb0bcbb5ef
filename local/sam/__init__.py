"""`sam local` on the local stack: what its containers need to find the emulated AWS and the fake networks."""
