"""Names of stacks that cannot work: the stack's parameters in SSM begin with it."""

import re

_RESERVED = ("aws", "ssm")
_FORM = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")


def refusal(stack: str) -> str | None:
    """Return why no stack can have this name, or None where one can."""
    if stack.lower().startswith(_RESERVED):
        return (
            f"the stack's name {stack!r} begins with {stack[:3]!r}. SSM keeps such parameters for AWS,"
            " in upper or lower case, and the stack's keys would have no place. Choose another name, such as"
            f" fanfare-{stack}"
        )
    if _FORM.fullmatch(stack) is None:
        return (
            f"the stack's name {stack!r} is none that CloudFormation takes: a letter, then letters, digits"
            " and hyphens, 128 at most"
        )
    return None
