"""A command line that asks for what cannot be done.                                                          pure"""


class UsageError(Exception):
    """A command line that cannot be carried out; the text is one line for whoever typed it."""
