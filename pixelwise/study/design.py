"""What a study shows and asks, frozen: the models, their pictures by checksum, the rules of the game.

The test is a two-alternative forced choice (2AFC), as in ASAP-Net's human perceptual study (Rott Shaham et al., CVPR
2021, Sec. 4.1: 50 raters a test, 50 pairs): two pictures side by side, one question, no tie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from pixelwise.errors import InputError
from pixelwise.fields import check_fields, from_fields

QUESTION = "Which picture looks more realistic?"
_LONGEST_QUESTION = 200
_LONGEST_LOOK = 3600.0


@dataclass(frozen=True)
class Rules:
    """How raters are asked.

    Attributes:
        question: what they read above every pair.
        per_pair: pictures on which a rater compares each pair of models; all of them, where there are fewer.
        num_catches: catch trials of each rater, at most one for each picture.
        seconds: after which the pictures vanish, while the choice is still asked for; 0 for never.
        seed: of all that is drawn.
    """

    question: str = QUESTION
    per_pair: int = 50
    num_catches: int = 5
    seconds: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.question.isprintable() or not 0 < len(self.question) <= _LONGEST_QUESTION:
            raise InputError(
                f"a question is one line of 1 to {_LONGEST_QUESTION} characters, got {self.question!r:.80}"
            )
        if self.per_pair < 1 or self.num_catches < 0:
            raise InputError(
                f"a rater compares each pair of models on 1 picture or more and sees 0 catch trials or more, "
                f"got {self.per_pair} and {self.num_catches}"
            )
        # Asked this way round, NaN fails too.
        if not 0 <= self.seconds <= _LONGEST_LOOK:
            raise InputError(f"pictures are shown for 0 (no limit) to {_LONGEST_LOOK:g} seconds, got {self.seconds}")


@dataclass(frozen=True)
class Picture:
    """One picture of a study.

    Attributes:
        sha256: of its file's content, in hexadecimal digits.
        path: its file, seen from the study's folder, with ``/``; empty for a picture that the study itself keeps.
    """

    sha256: str
    path: str = ""


@dataclass(frozen=True)
class Scene:
    """What all models made a picture of.

    Attributes:
        name: path below the models' folders, without suffix.
        outputs: one picture of each model, in the order of ``Study.models``.
        condition: what they were given, shown above the pair.
    """

    name: str
    outputs: tuple[Picture, ...]
    condition: Picture | None = None


@dataclass(frozen=True)
class Catch:
    """A question whose right answer is known: a picture beside a mosaic of itself.

    Attributes:
        scene: name of the scene that it belongs to.
        intact: the right answer: a real photo, or what a model made.
        degraded: the wrong one.
        condition: see ``Scene``.
    """

    scene: str
    intact: Picture
    degraded: Picture
    condition: Picture | None = None


@dataclass(frozen=True)
class Study:
    """All that a study shows and asks. Who sees what is in ``trials.trials_of``.

    Attributes:
        models: two or more names.
        rules: how raters are asked.
        scenes: in the order of their names.
        catches: the catch trials, which every rater sees.

    Raises:
        InputError: fewer than two models or two of one name, no scene, or one that lacks a picture.
    """

    models: tuple[str, ...]
    rules: Rules
    scenes: tuple[Scene, ...]
    catches: tuple[Catch, ...] = ()

    def __post_init__(self) -> None:
        if len(self.models) < 2 or len(set(self.models)) < len(self.models):
            raise InputError(f"a study compares two or more models of different names, got {', '.join(self.models)}")
        if not self.scenes or any(len(scene.outputs) != len(self.models) for scene in self.scenes):
            raise InputError(f"a study needs scenes with a picture of each of the models {', '.join(self.models)}")

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every two models, in the order of ``models``."""
        return tuple(combinations(self.models, 2))

    @property
    def num_comparisons(self) -> int:
        """Of each rater and each pair of models."""
        return min(self.rules.per_pair, len(self.scenes))

    @property
    def num_trials(self) -> int:
        """Of each rater, catch trials included."""
        return len(self.pairs) * self.num_comparisons + len(self.catches)

    @property
    def has_conditions(self) -> bool:
        return all(scene.condition is not None for scene in self.scenes)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole description, pictures and all: figures of one digest belong together."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def files(self) -> Iterator[Picture]:
        """Every picture that lies in a file, once."""
        shown: dict[Picture, None] = {}
        for scene in self.scenes:
            shown.update(dict.fromkeys(scene.outputs))
            shown.update(dict.fromkeys([scene.condition] if scene.condition else []))
        shown.update(dict.fromkeys(catch.intact for catch in self.catches))
        return (picture for picture in shown if picture.path)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: object) -> Study:
        """The inverse of ``to_json``. Raises InputError for anything else."""
        if not isinstance(content, Mapping):
            raise InputError(f"expected a study's description, got {content!r:.80}")
        fields = dict(content)
        fields["rules"] = from_fields(Rules, fields.get("rules"))
        fields["scenes"] = tuple(_scene(scene) for scene in _listed(fields, "scenes"))
        fields["catches"] = tuple(_catch(catch) for catch in _listed(fields, "catches"))
        check_fields(cls, fields)
        return cls(**{**fields, "models": tuple(fields["models"])})


def _listed(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    listed = fields.get(name)
    if not isinstance(listed, list | tuple) or not all(isinstance(each, Mapping) for each in listed):
        raise InputError(f"{name!r} must be a list of objects, got {listed!r:.80}")
    return list(listed)


def _scene(content: Mapping[str, Any]) -> Scene:
    outputs = tuple(from_fields(Picture, output) for output in _listed(content, "outputs"))
    return from_fields(Scene, {**content, "outputs": outputs, "condition": _condition(content)})


def _catch(content: Mapping[str, Any]) -> Catch:
    sides = {side: from_fields(Picture, content.get(side)) for side in ("intact", "degraded")}
    return from_fields(Catch, {**content, **sides, "condition": _condition(content)})


def _condition(content: Mapping[str, Any]) -> Picture | None:
    condition = content.get("condition")
    return None if condition is None else from_fields(Picture, condition)
