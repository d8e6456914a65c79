"""What a model scores: every sample is translated by itself, and what is observed of it is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from pixelwise import machine
from pixelwise.allocator import keep_freed_memory
from pixelwise.condition import PairedSample
from pixelwise.evaluation.entrant import Make, Translate, made_by, shown_to
from pixelwise.evaluation.examination import Examination, prepare
from pixelwise.evaluation.journal import Journal, sample_digest
from pixelwise.evaluation.measure import Figures
from pixelwise.evaluation.protocol import Protocol
from pixelwise.evaluation.setting import Setting
from pixelwise.translate import Translator

Progress = Callable[[int, int], object]
"""Is told how many samples of how many are done."""

_TARGET = "target"


REAL = "real"
"""What the targets are called beside models, where they are judged as if one had made them."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        model: what the model is called.
        protocol: how.
        targets_digest: SHA-256 of the samples' own, in order, each of what was compared with as it lies in memory:
            figures whose digests differ were not measured on the same pictures.
        figures: of all pictures together.
        scores: of every sample by its name, every measure by its name that says one number of it.
        caveats: what must be said beside the figures.
        real: whether this is no model but the targets, judged as if one had made them.
    """

    model: str
    protocol: Protocol
    targets_digest: str
    figures: Figures
    scores: Mapping[str, Mapping[str, float]]
    caveats: tuple[str, ...] = ()
    real: bool = False

    def to_json(self) -> dict[str, Any]:
        protocol = self.protocol
        return {
            "model": self.model,
            "real": self.real,
            "protocol": protocol.name,
            "what": protocol.text,
            "names_sha256": protocol.names_digest,
            "targets_sha256": self.targets_digest,
            "samples": len(self.scores),
            "versions": machine.versions(),
            "figures": self.figures,
            "caveats": list(self.caveats),
            "scores": self.scores,
        }


def evaluate(
    translator: Translator, protocol: Protocol, root: Path, name: str = "", progress: Progress = lambda *_: None
) -> Evaluation:
    """Translates every sample by itself and measures what comes out.

    Args:
        translator: the model.
        protocol: what is measured.
        root: where its data lie.
        name: what to call the model; otherwise its family.
        progress: is told after every sample.

    Raises:
        InputError: a model that reads or makes something else than the protocol's samples hold; data that are not the
            protocol's, cannot be read, or are smaller than its source size; an output that is not a number.
    """
    examination = prepare(Setting(protocol, root))
    return score_made(made_by(translator, examination), name or translator.manifest.family, examination, progress)


def score(
    translate: Translate, name: str, examination: Examination, progress: Progress = lambda *_: None
) -> Evaluation:
    """``evaluate`` of whatever makes pictures: a classical filter, a model of another library.

    Args:
        translate: makes them.
        name: what to call it.
        examination: what all are asked that are to be compared.
        progress: is told after every sample.

    Raises:
        InputError: data that cannot be read.
    """
    return score_made(shown_to(translate, examination), name, examination, progress)


def score_made(make: Make, name: str, examination: Examination, progress: Progress = lambda *_: None) -> Evaluation:
    """``score`` of what is made otherwise than by translating."""
    keep_freed_memory()
    with Journal(None, name) as journal:
        observe(make, examination, journal, range(len(examination.samples)), progress)
        return conclude(name, examination, journal)


def score_targets(examination: Examination) -> Evaluation | None:
    """The targets, judged as if a model had made them: how good that can be. None where nothing judges pictures by
    themselves."""
    judging = judging_alone(examination)
    if not judging.measures:
        return None
    with Journal(None, REAL) as journal:
        return conclude_targets(judging, journal, range(len(judging.samples)))


def judging_alone(examination: Examination) -> Examination:
    """The same with only those measures that may judge real pictures too."""
    return replace(examination, measures=[measure for measure in examination.measures if measure.without_target])


def observe(
    make: Make,
    examination: Examination,
    journal: Journal,
    indices: Sequence[int],
    progress: Progress = lambda *_: None,
    keep: Callable[[Tensor, PairedSample], object] = lambda *_: None,
) -> None:
    """Writes down what the measures observe of some samples.

    Args:
        make: makes the pictures.
        examination: what is asked.
        journal: where it is written.
        indices: of the samples.
        progress: is told how many of these are done.
        keep: is given every picture as it is compared, with its sample, before anything is written of it.
    """
    for number, index in enumerate(indices, start=1):
        sample = examination.sample(index)
        picture = examination.compared(make(sample).cpu())
        keep(picture, sample)
        observations = {measure.name: measure.observe(picture, sample) for measure in examination.measures}
        observations[_TARGET] = _digest_of(sample.target)
        journal.add(index, sample_digest(sample, examination.samples), observations)
        progress(number, len(indices))


def unobserved(examination: Examination, journal: Journal, digests: Sequence[bytes]) -> list[int]:
    """The samples, with these ``sample_digest``, of which the journal lacks something."""
    return journal.missing(digests, [_TARGET, *(measure.name for measure in examination.measures)])


def conclude(name: str, examination: Examination, journal: Journal) -> Evaluation:
    """What follows from a journal in which all samples are."""
    figures: dict[str, float | Mapping[str, float]] = {}
    scores: dict[str, dict[str, float]] = {sample: {} for sample in examination.samples.names}
    caveats = dict.fromkeys(examination.caveats)
    for measure in examination.measures:
        observations = journal.observations(measure.name)
        figures |= measure.conclude(observations)
        if text := measure.caveat(observations):
            caveats[text] = None
        for of_sample, observation in zip(scores.values(), observations, strict=True):
            if observation.ndim == 0:
                of_sample[measure.name] = float(observation)
    targets = hashlib.sha256(b"".join(digest.tobytes() for digest in journal.observations(_TARGET)))
    return Evaluation(name, examination.protocol, targets.hexdigest(), figures, scores, tuple(caveats))


def conclude_targets(examination: Examination, journal: Journal, missing: Sequence[int]) -> Evaluation:
    """``conclude`` of the targets themselves, after those samples that the journal still lacks."""
    observe(lambda sample: sample.target, examination, journal, missing)
    found = conclude(REAL, examination, journal)
    # A set is at no distance from itself.
    own = (f"_{examination.protocol.split_name}", f"_{examination.protocol.split_name}_error")
    figures = {figure: value for figure, value in found.figures.items() if not figure.endswith(own)}
    return replace(found, figures=figures, real=True)


def caveats_of(evaluations: Sequence[Evaluation]) -> list[str]:
    """What must be said beside figures that stand in one table; of whom, where it is not said of every model."""
    models = [evaluation for evaluation in evaluations if not evaluation.real]
    texts = []
    for text in dict.fromkeys(caveat for evaluation in models for caveat in evaluation.caveats):
        whose = [evaluation.model for evaluation in models if text in evaluation.caveats]
        texts.append(text if len(whose) == len(models) else f"{', '.join(whose)}: {text}")
    return texts


def _digest_of(target: Tensor) -> np.ndarray:
    return np.frombuffer(hashlib.sha256(target.contiguous().numpy().tobytes()).digest(), np.uint8)
