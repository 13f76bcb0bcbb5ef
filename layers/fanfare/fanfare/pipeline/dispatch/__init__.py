"""From a change in a table to queued deliveries."""
