"""``train``, from top to bottom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pixelwise.allocator import keep_freed_memory
from pixelwise.atomic import write_text
from pixelwise.checkpoint import save_checkpoint
from pixelwise.condition import PairedSample
from pixelwise.metrics import best_by
from pixelwise.training.batches import batches, portions_of, seed_globally
from pixelwise.training.config import TrainConfig
from pixelwise.training.interruption import interruption
from pixelwise.training.processes import join_processes
from pixelwise.training.report import Report
from pixelwise.training.run import Run, prepare
from pixelwise.training.schedule import hold_still, set_learning_rates
from pixelwise.training.state import Progress, load_state, save_state
from pixelwise.training.step import Diverged, update_discriminator, update_generator
from pixelwise.training.styles import keep_styles, keeps_styles
from pixelwise.training.validation import validation_scores, write_sheet


def train(config: TrainConfig) -> Path:
    """Trains a generator, or goes on with a run that was stopped at any moment.

    Args:
        config: the run. Its ``out`` folder gets ``last.safetensors`` and ``best.safetensors`` (by validation:
            ``metrics.best_by``), ``state.pt`` to resume from, ``sheets/*.png`` and ``log.jsonl``.

    Returns:
        The path of ``last.safetensors``.

    Raises:
        InputError: data or configuration that cannot be used, or an ``out`` folder with another run's state.
        Diverged: a loss or gradient is NaN or infinite; ``diverged_<rank>.json`` in ``out`` names the batch.
        KeyboardInterrupt: on Ctrl-C. A process that trains alone ends its step and saves before that.
    """
    keep_freed_memory()
    with join_processes(config.device) as processes:
        run = prepare(config, processes)
        game, average = run.game, run.average
        progress, changes = load_state(run)
        with (
            Report(run.folder, progress.step, config.steps, processes.is_first) as report,
            interruption(processes.count) as interrupted,
        ):
            _announce(run, report, progress, changes)
            for batch in batches(run.samples, config, processes, progress.step, run.rehearse):
                seed_globally(config.seed, progress.step, processes.rank)
                set_learning_rates(game, config, progress.step)
                hold_still(game.generator.network, config, progress.step)
                portions = portions_of(batch.to(processes.device), config.accumulate)
                with _names_saved_if_diverged(run, progress, batch):
                    fakes, losses = update_generator(game, portions)
                    if game.discriminator is not None:
                        losses |= update_discriminator(game, game.discriminator, portions, fakes)
                average.update(game.generator.network, progress.step)
                progress.step += 1
                scores = _look(run, progress) if processes.is_first else {}
                report.step(progress.step, losses, scores, config.batch_size)
                if processes.is_first and (interrupted.asked or _due(progress.step, config.save_every, config.steps)):
                    _save(run, progress)
                if interrupted.asked:
                    report.say(f"stopped and saved after step {progress.step}; the same command goes on from there")
                    raise KeyboardInterrupt
        if processes.is_first:
            _finish(run, progress, report)
    return run.last_checkpoint


def _announce(run: Run, report: Report, progress: Progress, changes: Sequence[str]) -> None:
    parameters = sum(parameter.numel() for parameter in run.game.generator.network.parameters())
    report.say(
        f"{run.manifest.family}, {parameters / 1e6:.1f} M parameters, on {len(run.samples)} samples of "
        f"{run.config.dataset}; {run.processes.count} x {run.processes.device}; writes to {run.folder}"
    )
    if progress.step:
        done = progress.step >= run.config.steps
        report.say(f"is at step {progress.step}: all are done" if done else f"goes on after step {progress.step}")
    for change in changes:
        report.say(f"differs from what was done so far: {change}")
    for note in run.notes:
        report.say(note)


def _look(run: Run, progress: Progress) -> dict[str, float]:
    """Sample sheets, and validation with the best generator so far, when they are due; the new scores, if any."""
    generator, config, target = run.average.averaged, run.config, run.samples.target
    if _due(progress.step, config.sheet_every, config.steps):
        sheet = run.sheets / f"step_{progress.step:07d}.png"
        write_sheet(sheet, generator, run.sheet_samples, run.samples.spec, target)
    if not _due(progress.step, config.validate_every, config.steps):
        return {}
    progress.scores = validation_scores(generator, run.validation_samples, target)
    if progress.scores[best_by(target)] > progress.best:
        progress.best = progress.scores[best_by(target)]
        _save_generator(run, progress, run.best_checkpoint)
    return progress.scores


def _save(run: Run, progress: Progress) -> None:
    """The latest generator and the state to resume from."""
    # In this order: killed between the two, the run does these steps again. The other way round it might resume after
    # its last step, and never write the generator.
    _save_generator(run, progress, run.last_checkpoint)
    save_state(run, progress)


def _finish(run: Run, progress: Progress, report: Report) -> None:
    """Keeps styles, when all else is saved: to look at a whole training set again may take hours."""
    if progress.styles_of != progress.step and keeps_styles(run):
        report.say(f"looks for styles in {len(run.samples)} samples")
        keep_styles(run)
        progress.styles_of = progress.step
        _save(run, progress)


def _save_generator(run: Run, progress: Progress, path: Path) -> None:
    manifest = replace(run.manifest, step=progress.step, metrics=progress.scores)
    save_checkpoint(path, run.average.averaged, manifest)


def _due(step: int, every: int, last: int) -> bool:
    return step % every == 0 or step == last


@contextmanager
def _names_saved_if_diverged(run: Run, progress: Progress, batch: PairedSample) -> Iterator[None]:
    try:
        yield
    except Diverged as error:
        path = run.folder / f"diverged_{run.processes.rank}.json"
        content = {"step": progress.step, "why": str(error), "names": batch.names}
        write_text(path, json.dumps(content, indent=1))
        raise Diverged(f"step {progress.step}: {error}; the names of the batch are in {path}") from error
