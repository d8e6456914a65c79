"""Messages that name the first few of many."""

from __future__ import annotations

from pixelwise.errors import listed


def test_five_are_listed_and_the_others_counted() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde"), "; ") == "a; b; c; d; e"
    assert listed(list("abcdefg"), "; ") == "a; b; c; d; e and 2 more"
