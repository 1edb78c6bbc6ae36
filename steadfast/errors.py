"""Errors whose text is one sentence for the person at the keyboard."""

from __future__ import annotations


class SteadfastError(Exception):
    """Something a person can mend; `str(error)` says what it is and what to do."""
