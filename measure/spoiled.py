"""The end of a measurement whose figures would be wrong."""


class Spoiled(Exception):
    """The run did not do what was to be measured; the text gives the reason."""
