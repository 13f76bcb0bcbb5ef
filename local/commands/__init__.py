"""Commands for engineers and operators, on the local stack or on a deployed one."""
