"""Evaluations as a table in Markdown: one protocol, a model a line."""

from __future__ import annotations

from collections.abc import Sequence

from pixelwise.errors import InputError
from pixelwise.evaluation.scores import Evaluation


def markdown(evaluations: Sequence[Evaluation]) -> str:
    """Raises InputError for figures of several protocols, which must not be compared."""
    protocols = {evaluation.protocol.name: evaluation.protocol for evaluation in evaluations}
    if len(protocols) != 1:
        raise InputError(f"one table is of one protocol, got {', '.join(protocols) or 'none'}")
    (protocol,) = protocols.values()
    names = [name for name, figure in evaluations[0].figures.items() if isinstance(figure, float)]
    lines = [
        ["model", *names],
        ["---", *("---:" for _ in names)],
        *([evaluation.model, *(f"{evaluation.figures[name]:.4f}" for name in names)] for evaluation in evaluations),
    ]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    num_samples = len(evaluations[0].scores)
    notes = "".join(f"\n{caveat}.\n" for caveat in dict.fromkeys(evaluations[0].caveats))
    return f"{protocol.name}: {num_samples} pictures; {protocol.text}.\n\n{table}\n{notes}"
