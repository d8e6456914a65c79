"""Who answers, and what they answer."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pixelwise.errors import InputError

LONGEST_NAME = 80
"""Characters of a rater's name."""


@dataclass(frozen=True)
class Rater:
    """A name, and a word that nobody guesses, by which the page speaks of its rater."""

    name: str
    token: str


@dataclass(frozen=True)
class Answer:
    """One choice of one rater.

    Attributes:
        rater: the name.
        trial: its number among the rater's, from 0.
        is_catch: whether the right answer is known.
        scene: its name.
        left, right: which models' pictures stood there; of catch trials ``trials.INTACT`` and ``trials.DEGRADED``.
        choice: "left" or "right".
        milliseconds: from when both pictures were seen.
        given: when, in UTC, as ISO 8601.
    """

    rater: str
    trial: int
    is_catch: bool
    scene: str
    left: str
    right: str
    choice: str
    milliseconds: int
    given: str

    @property
    def chosen(self) -> str:
        """Which of ``left`` and ``right`` was preferred."""
        return self.left if self.choice == "left" else self.right


class UnknownRater(LookupError):
    """No rater has this token."""


class OutOfTurn(Exception):
    """Not the trial that the rater is at: it was answered before, perhaps in another tab, or its turn has not come.

    Attributes:
        expected: the number of the trial that it is; that of all trials when there is none left.
    """

    def __init__(self, expected: int) -> None:
        super().__init__(f"the next answer is to trial {expected}")
        self.expected = expected


def rater_name(text: str) -> str:
    """A name as it is kept: blanks at its ends and doubled ones do not count.

    Raises:
        InputError: it is empty or longer than ``LONGEST_NAME``, has characters that cannot be seen, or does not begin
            with a letter or a digit: a spreadsheet might take it for a formula.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or not name[0].isalnum():
        raise InputError(
            f"a name has 1 to {LONGEST_NAME} characters and begins with a letter or a digit, got {name!r:.100}"
        )
    return name
