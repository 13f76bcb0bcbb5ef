"""The errors that end a command, and the exit code of each.

CommandFailed
├── Declined       1: the stack, AWS, a network or a rule refused, or there is no such thing
├── Unusable       2: an option or a file cannot be used; nothing was asked of anybody
├── Unreachable    3: nobody answered, or there are no AWS credentials or region to ask with
└── Unfinished     4: a part was done; the same command does the rest
"""

from typing import ClassVar


class CommandFailed(Exception):
    """The command ends with this sentence on standard error. It holds no secret."""

    exit_code: ClassVar[int]


class Declined(CommandFailed):
    """The stack, AWS, a network or a rule refused, or there is no such thing."""

    exit_code = 1


class Unusable(CommandFailed):
    """An option or a file cannot be used."""

    exit_code = 2


class Unreachable(CommandFailed):
    """Nobody answered, or there are no AWS credentials or region to ask with."""

    exit_code = 3


class Unfinished(CommandFailed):
    """A part was done; the same command does the rest."""

    exit_code = 4


EXIT_CODES = {
    0: "done",
    1: "refused: by the stack, by AWS, by a network or by a rule; or there is no such thing",
    2: "an option or a file cannot be used; nothing was asked of anybody",
    3: "nobody answered, or there are no AWS credentials or region to ask with",
    4: "a part was done; the same command does the rest",
}
"""The meaning of each exit code, as `fanfare --help` prints it."""
