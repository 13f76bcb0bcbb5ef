"""The subcommands of `fanfare`, one file each."""
