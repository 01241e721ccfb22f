"""The one exception that means "the user can mend this"."""

from __future__ import annotations


class InputError(Exception):
    """Bad input: the message says what is wrong, where, and how to mend it.

    Stage scripts print it without a traceback (see :mod:`asv.cli`); any other exception is a bug.
    """
