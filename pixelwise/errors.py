"""The one error for what a user gave and can put right."""

from __future__ import annotations

from collections.abc import Sequence

_LISTED = 5


class InputError(ValueError):
    """Something given from outside cannot be used.

    The message names the file (when there is one), the value found and what was expected. The command line prints it
    without a traceback and exits with status 1; library users may catch it as ``ValueError``.
    """


def listed(faults: Sequence[str], separator: str = ", ") -> str:
    """The first few of them for a message, and how many more there are."""
    hidden = len(faults) - _LISTED
    return separator.join(faults[:_LISTED]) + (f" and {hidden} more" if hidden > 0 else "")
