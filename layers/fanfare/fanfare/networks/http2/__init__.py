"""HTTP/2 (RFC 9113): the client side as far as batches of POSTs need it, and all that a server may send."""
