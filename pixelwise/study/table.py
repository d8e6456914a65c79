"""A report as tables in Markdown, for people; answers as CSV, for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import fields

from pixelwise.markdown import table
from pixelwise.study.analysis import CONFIDENCE, PairRecord, Preference, RaterRecord, Report
from pixelwise.study.raters import Answer


def markdown(report: Report, by_scene: bool = False) -> str:
    """What was preferred, by pair, by rater and, where wanted, by scene."""
    parts = [_head(report), _pairs(report), _remarks(report)]
    parts += [_raters(report)] if report.raters else []
    parts += [_scenes(pair) for pair in report.pairs] if by_scene else []
    return "\n\n".join(parts) + "\n"


def to_csv(answers: Iterable[Answer]) -> str:
    """Every answer a row, catch trials too."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(Answer)]
    writer.writerow([*names, "chosen"])
    writer.writerows([*(getattr(answer, name) for name in names), answer.chosen] for answer in answers)
    return text.getvalue()


def _head(report: Report) -> str:
    study = report.study
    rules = study.rules
    shown = f"pictures shown for {rules.seconds:g} s" if rules.seconds else "unlimited time"
    num_answers = sum(rater.num_answers for rater in report.raters)
    return (
        f"“{rules.question}” {len(study.models)} models, {len(study.scenes)} scenes, {shown}, seed {rules.seed}, "
        f"study {study.digest[:12]}; raters: {len(report.raters)}, answers: {num_answers}."
    )


def _pairs(report: Report) -> str:
    rows = []
    for pair in report.pairs:
        rows.append([pair.first, pair.second, "kept" if report.excluded else "all", *_cells(pair.kept)])
        if report.excluded:
            rows.append([pair.first, pair.second, "all", *_cells(pair.everyone)])
    return table(["A", "B", "raters", "A preferred", "share", f"{CONFIDENCE:.0%} interval", "p"], rows, num_words=3)


def _remarks(report: Report) -> str:
    told = (
        "Intervals are Wilson's score intervals, p is of the two-sided exact binomial test against equal preference; "
        "both take answers as independent, and p is not corrected for several pairs."
    )
    if not report.study.catches:
        return f"{told} There were no catch trials, so nobody is excluded."
    if not report.excluded:
        return f"{told} No rater failed more than {report.max_failed:.0%} of the catch trials."
    names = ", ".join(f"{rater.name} ({rater.num_failed} of {rater.num_catches})" for rater in report.excluded)
    return f"{told} Excluded, because they failed more than {report.max_failed:.0%} of their catch trials: {names}."


def _raters(report: Report) -> str:
    columns = [f"{pair.first} over {pair.second}" for pair in report.pairs]
    rows = [_rater_row(report, rater) for rater in report.raters]
    return table(["rater", "answers", "catch trials failed", "median s", *columns], rows, num_words=1)


def _rater_row(report: Report, rater: RaterRecord) -> list[str]:
    answered = f"{rater.num_answers} of {report.study.num_trials}"
    failed = f"{rater.num_failed} of {rater.num_catches}" + (", excluded" if rater.excluded else "")
    preferred = [pair.raters.get(rater.name, Preference(0, 0)) for pair in report.pairs]
    return [rater.name, answered, failed, f"{rater.milliseconds / 1000:.1f}", *map(_short, preferred)]


def _scenes(pair: PairRecord) -> str:
    rows = [[name, *_cells(preference)] for name, preference in pair.scenes.items()]
    heads = ["scene", f"{pair.first} over {pair.second}", "share", f"{CONFIDENCE:.0%} interval", "p"]
    return table(heads, rows, num_words=1)


def _short(preference: Preference) -> str:
    return f"{preference.wins} of {preference.total}" if preference.total else "–"


def _cells(preference: Preference) -> list[str]:
    if preference.share is None:
        return ["–"] * 4
    low, high = preference.interval
    shares = [f"{preference.share:.1%}", f"{low:.1%} to {high:.1%}"]
    return [_short(preference), *shares, f"{preference.p_value:.3g}"]
