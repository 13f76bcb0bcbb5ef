"""The AWS of the local stack: MiniStack, and a proxy before it that makes faults."""
