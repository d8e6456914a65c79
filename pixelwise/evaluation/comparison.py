"""Several models under one protocol, in a folder: what they made, what was observed of it, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pixelwise import images, machine
from pixelwise.allocator import keep_freed_memory
from pixelwise.condition import PairedSample
from pixelwise.contact_sheet import condition_pictures, target_pictures
from pixelwise.device import find_device
from pixelwise.evaluation.cost import cost_of, fitted
from pixelwise.evaluation.entrant import check_entrant, digest_of, is_folder, named_apart
from pixelwise.evaluation.examination import Examination
from pixelwise.evaluation.journal import Journal, sample_digest
from pixelwise.evaluation.json_file import write_json
from pixelwise.evaluation.protocol import digest
from pixelwise.evaluation.scores import (
    REAL,
    Evaluation,
    caveats_of,
    conclude,
    conclude_targets,
    judging_alone,
    unobserved,
)
from pixelwise.evaluation.training_memory import training_bytes
from pixelwise.evaluation.worker import Task, Worker, share
from pixelwise.translate import load

Progress = Callable[[str, int, int], object]
"""Is told of which model how many samples of how many are done."""

Row = dict[str, Any]

_SHOWN = "shown"
"""In the samples' journal: that this one's pictures have been written."""


@dataclass(frozen=True)
class Comparison:
    """What several models are asked, and where that is kept.

    Attributes:
        examination: what they are asked.
        folder: for ``report.json``, for inputs and targets as people see them, and a folder for each model.
        device: where models run.
        num_processes: that share the samples of a model.
        progress: is told after every sample, or, with several processes, after some.
        training: whether the memory of a step of training is measured too, which starts a process for each model.
    """

    examination: Examination
    folder: Path
    device: str = "auto"
    num_processes: int = 1
    progress: Progress = lambda *_: None
    training: bool = False

    def run(self, entrants: Sequence[str], command: str = "") -> Row:
        """Evaluates them and writes ``report.json``. What an earlier call has begun in the folder is gone on with.

        Args:
            entrants: models by bundled name or file, or folders of pictures under the samples' names. See
                ``model_name`` for what they are called.
            command: that does all this again, for the reader.

        Returns:
            What ``report.json`` holds.

        Raises:
            InputError: as ``evaluate``; two of one name; or a folder in which something else was evaluated.
        """
        named = named_apart(entrants, taken=(REAL, "inputs", "targets"))
        for entrant in entrants:
            check_entrant(entrant, self.examination)
        keep_freed_memory()
        digests = self._show_samples()
        evaluations = {name: self._evaluated(name, entrant, digests) for name, entrant in named.items()}
        rows = [self._row(evaluation, named[name]) for name, evaluation in evaluations.items()]
        if (judging := judging_alone(self.examination)).measures:
            rows.append(self._of_targets(judging, digests))
        of_all = next(iter(evaluations.values())).to_json()
        report = {
            **{key: of_all[key] for key in ("protocol", "what", "samples", "names_sha256", "targets_sha256")},
            "command": command,
            "circumstances": machine.circumstances(str(find_device(self.device))),
            "remarks": [*self.examination.remarks, *caveats_of([*evaluations.values()])],
            "inputs": "inputs",
            "targets": "targets",
            "models": rows,
        }
        write_json(self.folder / "report.json", report)
        return report

    def _evaluated(self, name: str, entrant: str, digests: Sequence[bytes]) -> Evaluation:
        examination, progress = self.examination, partial(self.progress, name)
        subject = f"{digest_of(entrant)[:16]} under {self._what}"
        task = Task(entrant, self.device, examination.setting, self.folder / name, subject)
        with task.open_journal() as journal:
            missing = {*unobserved(examination, journal, digests), *self._without_picture(task)}
        if missing and self.num_processes > 1:
            share(task, sorted(missing), self.num_processes, progress)
        elif missing:
            Worker(task, examination).observe(sorted(missing), progress)
        with task.open_journal() as journal:
            return conclude(name, examination, journal)

    def _without_picture(self, task: Task) -> Iterator[int]:
        for index, name in enumerate(self.examination.samples.names):
            if not task.picture(name).exists():
                yield index

    def _of_targets(self, examination: Examination, digests: Sequence[bytes]) -> Row:
        """The targets, judged as if a model had made them."""
        with Journal(self.folder / REAL / "journal.sqlite", f"the targets under {self._what}") as journal:
            return _figures(conclude_targets(examination, journal, unobserved(examination, journal, digests)))

    @property
    def _what(self) -> str:
        return f"{self.examination.protocol.name} on {digest(self.examination.samples.names)[:16]}"

    def _row(self, evaluation: Evaluation, entrant: str) -> Row:
        """What was measured, and, of a model, what its pictures cost at the first sample's size."""
        row = {
            **_figures(evaluation),
            "family": "",
            "file_sha256": digest_of(entrant),
            "parameters": None,
            "macs": None,
            "runtime": None,
            "peak_memory": None,
            "training_memory": None,
            "scores": evaluation.scores,
            "pictures": f"{evaluation.model}/pictures",
        }
        if is_folder(entrant):
            return row
        translator, condition = load(entrant, self.device), self.examination.sample(0).condition
        row |= {"family": translator.manifest.family, **cost_of(translator, condition).to_json()}
        if self.training:
            row["training_memory"] = training_bytes(entrant, fitted(translator, condition), self.device)
        return row

    def _show_samples(self) -> list[bytes]:
        """Writes inputs and targets as people see them, where they are not there or have changed; their digests."""
        digests = []
        with Journal(self.folder / "samples.sqlite", f"the samples of {self._what}") as journal:
            for index, name in enumerate(self.examination.samples.names):
                paths = [self.folder / part / f"{name}.png" for part in ("inputs", "targets")]
                sample = self.examination.sample(index)
                digests.append(sample_digest(sample, self.examination.samples))
                if journal.lacks(index, digests[-1], [_SHOWN]) or not all(path.exists() for path in paths):
                    self._show(sample, *paths)
                    journal.add(index, digests[-1], {_SHOWN: np.array(True)})
        return digests

    def _show(self, sample: PairedSample, of_input: Path, of_target: Path) -> None:
        samples = self.examination.samples
        (shown_input,) = condition_pictures(self.examination.protocol.shown(sample.condition), samples.spec)
        (shown_target,) = target_pictures(sample.target, samples.target)
        images.write(of_input, shown_input)
        images.write(of_target, shown_target)


def _figures(evaluation: Evaluation) -> Row:
    return {"model": evaluation.model, "real": evaluation.real, "figures": dict(evaluation.figures)}
