"""Errors whose text is one sentence for the person at the keyboard."""

from __future__ import annotations


class ControlError(Exception):
    """Something a person can mend; `str(error)` says what it is and what to do."""


class UnreachableError(ControlError, OSError):
    """A host cannot be reached."""

    def __str__(self) -> str:
        """Returns the sentence, without an error number."""
        return str(self.args[0])
