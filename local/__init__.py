"""The local stack on an engineer's machine: emulated AWS, event sources, fake networks, the demo."""
