"""What the garbage collector of a process has to look at."""

import gc

_YOUNG = 20_000
"""New objects before the garbage collector looks at them: Python's 700 are reached many times within one answer."""


def spare() -> None:
    """Look at new objects less often, from the first import on: importing the program makes nothing that is garbage."""
    gc.set_threshold(_YOUNG)


def settle() -> None:
    """Let the garbage collector leave alone what is there for good.

    The program is some hundred thousand objects that end with the process. Looked through again and again they were
    a third of the time of a long list.
    """
    gc.collect()
    gc.freeze()
