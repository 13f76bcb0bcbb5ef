"""Real clients of the networks, unmodified, each a program that a test talks to line by line."""
