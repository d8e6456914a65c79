"""All that a run must remember to go on as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch

from pixelwise.atomic import write_atomically
from pixelwise.errors import InputError
from pixelwise.models import family_of
from pixelwise.training.config import TrainConfig
from pixelwise.training.run import Run
from pixelwise.training.step import Game, Player

# What may not change between the parts of a run: the saved tensors would not fit, or mean something else.
FIXED = ("family", "model", "dataset", "objective", "discriminator_type", "discriminator", "betas", "ema_decay")
# What scores must have in common to be compared, beside the samples.
VALIDATED_ON = ("scale", "crop", "validation_samples")
_MOST_DIFFERENCES = 3
_FORMER_PRECISIONS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        step: optimiser steps done.
        scores: of the last validation.
        best: the best validation score so far.
        styles_of: the step after which the generators have kept styles to draw from; 0 for none.
    """

    step: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    best: float = float("-inf")
    styles_of: int = 0


def save_state(run: Run, progress: Progress) -> None:
    """Writes the whole state of a run into its ``state_file``, all or nothing.

    No random state is among it: every step seeds its own numbers from the run's seed and the step.

    Raises:
        InputError: the file cannot be written (disk full, no permission); what stood there is untouched.
    """
    state = {
        "config": json.dumps(_described(run.config)),
        "validated_on": list(run.validation_samples.names),
        "progress": asdict(progress),
        "average": run.average.averaged.state_dict(),
        "players": {name: _player_state(player) for name, player in _players(run.game).items()},
    }
    try:
        write_atomically(run.state_file, lambda beside: _save(state, beside))
    except (OSError, RuntimeError) as error:
        # torch may hide what the system refused behind a complaint of its own.
        reason = error if isinstance(error, OSError) else error.__context__
        raise InputError(
            f"{run.state_file}: cannot be written ({reason}); the state saved before is untouched"
        ) from error


def load_state(run: Run) -> tuple[Progress, tuple[str, ...]]:
    """Restores what ``save_state`` wrote; a run without a state starts at step 0.

    Returns:
        The progress, without a best score when validation is now at another size or on other samples; and what the
        configuration has otherwise than the run had so far.

    Raises:
        InputError: an unreadable state, or one of a run with another model, data set, objective or discriminator.
    """
    path, validated_on = run.state_file, list(run.validation_samples.names)
    if not path.exists():
        return Progress(), ()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        saved, wanted = _as_now(json.loads(state["config"]), run.config), _described(run.config)
        _check_same_run(saved, wanted)
        run.average.averaged.load_state_dict(state["average"])
        for name, player in _players(run.game).items():
            _restore_player(player, state["players"][name])
        # Before it was noted, a run had kept its styles when it saved its last step.
        progress = Progress(**{"styles_of": state["progress"]["step"], **state["progress"]})
        same_way = all(saved[name] == wanted[name] for name in VALIDATED_ON)
        if not same_way or state.get("validated_on", validated_on) != validated_on:
            progress = replace(progress, best=float("-inf"))
        return progress, tuple(_differences(saved, wanted))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # Damaged bytes make the unpickler raise almost anything.
        raise InputError(
            f"{path}: not a training state that can be resumed ({error}); remove it to start anew"
        ) from error


def _save(state: Mapping[str, Any], path: Path) -> None:
    # Given a path instead of a file, torch would never say why a write failed.
    with path.open("wb") as file:
        torch.save(state, file)


def _described(config: TrainConfig) -> dict[str, Any]:
    """The configuration in JSON, with what its parts are, which their fields alone do not tell."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return content | _types(config)


def _types(config: TrainConfig) -> dict[str, Any]:
    return {"family": family_of(config.model).name, "discriminator_type": type(config.discriminator).__name__}


def _as_now(saved: Mapping[str, Any], config: TrainConfig) -> dict[str, Any]:
    """A saved description as it would be now: with defaults for the fields that it and its parts have gained."""

    def completed(name: str) -> Any:
        if name == "precision":
            return _FORMER_PRECISIONS.get(saved[name], saved[name])
        part = getattr(config, name, None)
        if not is_dataclass(part) or not isinstance(saved[name], Mapping):
            return saved[name]
        return {**_defaults(part), **saved[name]}

    return {**_defaults(config), **_types(config), **{name: completed(name) for name in saved}}


def _defaults(config: Any) -> dict[str, Any]:
    defaults = {field.name: field.default for field in fields(config) if field.default is not MISSING}
    content: dict[str, Any] = json.loads(json.dumps(defaults))
    return content


def _check_same_run(saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    changed = list(_differences({name: saved[name] for name in FIXED}, {name: wanted[name] for name in FIXED}))
    if changed:
        raise InputError(
            f"is of another run: {'; '.join(changed[:_MOST_DIFFERENCES])}; give another out folder, with start_from to "
            "begin with that run's weights"
        )


def _differences(saved: Mapping[str, Any], wanted: Mapping[str, Any], part: str = "") -> Iterator[str]:
    """Where two configurations in JSON differ, field by field."""
    for name in dict.fromkeys((*wanted, *saved)):
        before, now = saved.get(name), wanted.get(name)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            yield from _differences(before, now, f"{part}{name}.")
        elif before != now:
            yield f"{part}{name} was {before}, is now {now}"


def _players(game: Game) -> dict[str, Player]:
    players = {"generator": game.generator, "discriminator": game.discriminator}
    return {name: player for name, player in players.items() if player is not None}


def _player_state(player: Player) -> dict[str, Any]:
    return {
        "network": player.network.state_dict(),
        "optimiser": player.optimiser.state_dict(),
        "scaler": player.scaler.state_dict(),
    }


def _restore_player(player: Player, state: Mapping[str, Any]) -> None:
    player.network.load_state_dict(state["network"])
    player.optimiser.load_state_dict(state["optimiser"])
    player.scaler.load_state_dict(state["scaler"])
