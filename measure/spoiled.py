"""The end of a measurement with wrong figures."""


class Spoiled(Exception):
    """The run did something else than the measured thing; the text gives the reason."""
