"""What runs on an engineer's machine and never in AWS: the local stack, the fakes, and the commands."""
