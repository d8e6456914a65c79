"""Runs in turns: who runs when, and which times count."""

from __future__ import annotations

import time

import pytest

from pixelwise.bench import laps
from pixelwise.bench.laps import in_turns


class Clock:
    """Time passes only where somebody works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.journal: list[str] = []
        monkeypatch.setattr(laps.time, "perf_counter", lambda: self.now)

    def work(self, name: str, *seconds: float):  # type: ignore[no-untyped-def]
        """Takes so many seconds each time, from then on the last number of them."""
        ahead = list(seconds)

        def run() -> None:
            self.journal.append(name)
            self.now += ahead.pop(0) if len(ahead) > 1 else ahead[0]

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_all_take_turns_and_the_first_rounds_do_not_count(clock: Clock) -> None:
    runs = {"fast": clock.work("fast", 9.0, 1.0), "slow": clock.work("slow", 9.0, 4.0)}
    found = in_turns(runs, rounds=2, unmeasured=1)
    assert clock.journal == ["fast", "slow"] * 3
    assert {name: (runtime.median, runtime.repeats) for name, runtime in found.items()} == {
        "fast": (1, 2),
        "slow": (4, 2),
    }


def test_a_turn_of_some_seconds_is_at_least_twice_and_its_first_time_does_not_count(clock: Clock) -> None:
    runs = {"fast": clock.work("fast", 2.0, 0.25), "slow": clock.work("slow", 9.0, 4.0)}
    found = in_turns(runs, rounds=1, turn=3.0)
    assert clock.journal == ["fast"] * 5 + ["slow"] * 2
    assert {name: (runtime.median, runtime.repeats) for name, runtime in found.items()} == {
        "fast": (0.25, 4),
        "slow": (4, 1),
    }


def test_times_are_those_of_the_clock() -> None:
    found = in_turns({"sleep": lambda: time.sleep(0.02)}, rounds=2)
    assert found["sleep"].median >= 0.02
