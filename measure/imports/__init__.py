"""The imports of a cold start, and their time: `make imports`."""
