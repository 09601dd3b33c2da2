"""Which errors mean that nothing more can be written.                                                          pure"""

from errno import EDQUOT, EFBIG, ENOSPC


def is_full(error: OSError) -> bool:
    """Whether there is no room for what was to be written: the disk's, the user's share of it, or a file's."""
    return error.errno in (ENOSPC, EDQUOT, EFBIG)
