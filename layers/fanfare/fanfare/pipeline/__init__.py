"""The way of a push, one file a step: dispatch, fanout, delivery, purge, sweep."""
