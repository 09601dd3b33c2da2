"""The beginning of a process that makes runs, and its end should the one that started it be gone.

Imports little, so that nothing has started a thread yet when a user namespace is entered.
"""

import multiprocessing
import os
import signal
import sys

from chaos.kernel.namespaces import enter_user_namespace, system_call

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """In a worker of `multiprocessing`: let the kernel kill us when our parent is gone, however it went. Linux only."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        die_with(parent.pid)


def die_with(parent: int) -> None:
    """The same for any process, which knows its parent's id."""
    if sys.platform != "linux":
        return
    system_call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before we had asked
        os._exit(1)


def become_able() -> None:
    """The same, and be allowed network namespaces from then on. Raises `OSError`."""
    die_with_parent()
    enter_user_namespace()
