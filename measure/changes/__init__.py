"""The measurement behind `make changes`: object changes in one bucket, and whether they are kept up with."""
