"""State of a lane that all environments share: pauses, probes, quota and evidence."""
