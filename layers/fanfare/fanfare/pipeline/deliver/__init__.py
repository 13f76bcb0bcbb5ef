"""From a queued delivery to answered pushes, and to the write that ends the attempt."""
