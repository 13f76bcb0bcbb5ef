"""What is asked before a deployment: whether parameters fit, and what the account lets run at once."""
