"""The rules that a deployment is checked against before it begins, and the rights that it needs."""
