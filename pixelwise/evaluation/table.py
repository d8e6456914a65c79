"""Evaluations as a table in Markdown: one protocol, a model a line."""

from __future__ import annotations

from collections.abc import Sequence

from pixelwise.errors import InputError
from pixelwise.evaluation.report.figures import ERROR, NONE, figure_spec, in_order
from pixelwise.evaluation.scores import Evaluation, caveats_of
from pixelwise.markdown import table


def markdown(evaluations: Sequence[Evaluation]) -> str:
    """Raises InputError for figures of several protocols, which must not be compared."""
    protocols = {evaluation.protocol.name: evaluation.protocol for evaluation in evaluations}
    if len(protocols) != 1:
        raise InputError(f"one table is of one protocol, got {', '.join(protocols) or 'none'}")
    (protocol,) = protocols.values()
    scalars = [name for name, figure in evaluations[0].figures.items() if isinstance(figure, float)]
    names = [name for name in in_order(scalars) if not name.endswith(ERROR)]
    heads = ["model", *(figure_spec(name).head for name in names)]
    rows = [[_called(evaluation), *(_text(evaluation, name) for name in names)] for evaluation in evaluations]
    num_samples = len(evaluations[0].scores)
    notes = "".join(f"\n{caveat}.\n" for caveat in caveats_of(evaluations))
    return f"{protocol.name}: {num_samples} pictures; {protocol.text}.\n\n{table(heads, rows)}\n{notes}"


def _called(evaluation: Evaluation) -> str:
    return "real photos" if evaluation.real else evaluation.model


def _text(evaluation: Evaluation, name: str) -> str:
    """A figure, with its standard error where it has one."""
    spec, figure, error = figure_spec(name), evaluation.figures.get(name), evaluation.figures.get(name + ERROR)
    if not isinstance(figure, float):
        return NONE
    return f"{spec.text(figure)} ± {spec.text(error)}" if isinstance(error, float) else spec.text(figure)
