"""Which model people prefer, how surely, and whom to believe."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist, median
from typing import Any

from pixelwise.errors import InputError
from pixelwise.study.design import Study
from pixelwise.study.raters import Answer
from pixelwise.study.trials import INTACT

CONFIDENCE = 0.95
MAX_FAILED = 0.2
"""Share of their catch trials that raters may fail by default."""

_QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Preference:
    """How often the first of two models was preferred.

    Figures take answers as independent of each other. Those of one rater, or to one picture, are not quite: so look at
    raters and pictures one by one, too.

    Attributes:
        wins: answers for the first.
        total: all answers.
    """

    wins: int
    total: int

    @property
    def share(self) -> float | None:
        """In 0..1; None where nobody answered."""
        return self.wins / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 % (Wilson, 1927), in 0..1.

        With n answers of which a share p is for the first, and z = 1.96:
        (p + z²/2n ± z √(p (1 - p)/n + z²/4n²)) / (1 + z²/n). Without answers it is 0..1.
        """
        if not self.total:
            return 0.0, 1.0
        share, weight = self.wins / self.total, _QUANTILE**2 / self.total
        centre = share + weight / 2
        reach = math.sqrt(weight * share * (1 - share) + weight**2 / 4)
        # Exact at its ends, where rounding would give -1e-17.
        low = 0.0 if self.wins == 0 else (centre - reach) / (1 + weight)
        high = 1.0 if self.wins == self.total else (centre + reach) / (1 + weight)
        return low, high

    @property
    def p_value(self) -> float:
        """Two-sided exact binomial: how probable so uneven a split is, or a more uneven one, of equal models."""
        rarer = min(self.wins, self.total - self.wins)
        tail = sum(math.comb(self.total, wins) for wins in range(rarer + 1))
        return float(min(Fraction(1), Fraction(2 * tail, 2**self.total)))

    def to_json(self) -> dict[str, Any]:
        shares = {"share": self.share, "low": self.interval[0], "high": self.interval[1], "p": self.p_value}
        return {"wins": self.wins, "answers": self.total, **shares}


@dataclass(frozen=True)
class RaterRecord:
    """What one rater did.

    Attributes:
        name: of the rater.
        num_answers: catch trials included.
        num_catches, num_failed: catch trials answered, and how many of them wrongly.
        milliseconds: the median time of an answer.
        excluded: whether more catch trials were failed than allowed.
    """

    name: str
    num_answers: int
    num_catches: int
    num_failed: int
    milliseconds: float
    excluded: bool


@dataclass(frozen=True)
class PairRecord:
    """What was preferred of two models.

    Attributes:
        first, second: their names.
        kept: by all raters but those excluded.
        everyone: by all raters.
        raters: by every rater that answered, excluded or not.
        scenes: by all raters but those excluded, for every scene that was shown.
    """

    first: str
    second: str
    kept: Preference
    everyone: Preference
    raters: Mapping[str, Preference]
    scenes: Mapping[str, Preference]


@dataclass(frozen=True)
class Report:
    """What a study found so far.

    Attributes:
        study: what was asked.
        max_failed: share of their catch trials that raters may fail.
        raters: all who answered.
        pairs: of models.
    """

    study: Study
    max_failed: float
    raters: tuple[RaterRecord, ...]
    pairs: tuple[PairRecord, ...]

    @property
    def excluded(self) -> tuple[RaterRecord, ...]:
        return tuple(rater for rater in self.raters if rater.excluded)

    def to_json(self) -> dict[str, Any]:
        rules = self.study.rules
        return {
            "study_sha256": self.study.digest,
            "question": rules.question,
            "seconds": rules.seconds,
            "seed": rules.seed,
            "scenes": len(self.study.scenes),
            "trials_per_rater": self.study.num_trials,
            "interval": f"Wilson score, {CONFIDENCE:.0%}",
            "p": "exact binomial, two-sided",
            "max_failed_catches": self.max_failed,
            "raters": [vars(rater) for rater in self.raters],
            "pairs": [_pair_json(pair) for pair in self.pairs],
        }


def analyse(study: Study, answers: Sequence[Answer], max_failed: float | None = None) -> Report:
    """What the answers say.

    Args:
        study: what was asked.
        answers: ``Store.answers()``.
        max_failed: raters who failed a greater share than this of the catch trials that they answered are excluded;
            None for ``MAX_FAILED``.

    Raises:
        InputError: ``max_failed`` is not in 0..1, or was given for a study without catch trials.
    """
    if max_failed is not None and not study.catches:
        raise InputError(f"--max-failed {max_failed:g}: the study has no catch trials that could be failed")
    max_failed = MAX_FAILED if max_failed is None else max_failed
    if not 0 <= max_failed <= 1:
        raise InputError(f"raters may fail a share of 0 to 1 of their catch trials, got {max_failed}")
    by_rater = _grouped(answers, lambda answer: answer.rater)
    raters = tuple(_rater(name, given, max_failed) for name, given in by_rater.items())
    excluded = {rater.name for rater in raters if rater.excluded}
    comparisons = [answer for answer in answers if not answer.is_catch]
    return Report(study, max_failed, raters, tuple(_pair(*pair, comparisons, excluded) for pair in study.pairs))


def _rater(name: str, answers: Sequence[Answer], max_failed: float) -> RaterRecord:
    catches = [answer for answer in answers if answer.is_catch]
    num_failed = sum(answer.chosen != INTACT for answer in catches)
    milliseconds = median(answer.milliseconds for answer in answers)
    excluded = num_failed > max_failed * len(catches)
    return RaterRecord(name, len(answers), len(catches), num_failed, milliseconds, excluded)


def _pair(first: str, second: str, comparisons: Sequence[Answer], excluded: set[str]) -> PairRecord:
    everyone = [answer for answer in comparisons if {answer.left, answer.right} == {first, second}]
    kept = [answer for answer in everyone if answer.rater not in excluded]

    def preferences(groups: Mapping[str, Sequence[Answer]]) -> dict[str, Preference]:
        return {name: _preference(first, group) for name, group in groups.items()}

    return PairRecord(
        first,
        second,
        _preference(first, kept),
        _preference(first, everyone),
        preferences(_grouped(everyone, lambda answer: answer.rater)),
        preferences(dict(sorted(_grouped(kept, lambda answer: answer.scene).items()))),
    )


def _preference(first: str, answers: Sequence[Answer]) -> Preference:
    return Preference(sum(answer.chosen == first for answer in answers), len(answers))


def _grouped(answers: Iterable[Answer], key: Callable[[Answer], str]) -> dict[str, list[Answer]]:
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(key(answer), []).append(answer)
    return groups


def _pair_json(pair: PairRecord) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "kept": pair.kept.to_json(),
        "everyone": pair.everyone.to_json(),
        "raters": {name: preference.to_json() for name, preference in pair.raters.items()},
        "scenes": {name: preference.to_json() for name, preference in pair.scenes.items()},
    }
