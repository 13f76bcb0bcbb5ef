"""HTTP/2 (RFC 9113): as much as sending batches of POSTs needs, and all that a server may do meanwhile."""
