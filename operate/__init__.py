"""The operators' commands against a deployed stack, or against the local one."""
