"""How gradients come through MSG U-Net's generator with and without its smaller pictures: the paper's Fig. 2.

``python benchmarks/gradient_flow.py --data ../shared/data/camvid`` trains the generator twice from the same weights for
a few steps, once judged at all sizes, once at full size only, and looks at the gradients of every convolution's weights
before and after. It writes ``results/gradient_flow.json``, the table of ``results/gradient_flow.md``, made from it, and
the plot.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor, nn

from gradient_flow_plot import draw
from ground import COMMITTED, DatasetOption, Ground, OutOption, SheetsOption, SizeOption
from msgunet_tables import STUDY
from pixelwise import machine
from pixelwise.atomic import write_atomically
from pixelwise.bench.measurement import write
from pixelwise.bench.table import size_text
from pixelwise.condition import Condition, PairedSample
from pixelwise.errors import InputError
from pixelwise.losses.objective import generator_terms
from pixelwise.markdown import table
from pixelwise.models.family import Translation
from pixelwise.training import TrainConfig
from pixelwise.training.batches import batches
from pixelwise.training.processes import join_processes
from pixelwise.training.run import prepare
from pixelwise.training.step import Game, judgements, sum_of, targets_of, update_discriminator, update_generator
from trained_comparison import report
from trials import CAMVID, DataOption, ThreadsOption

Row = dict[str, Any]

STEPS = 20
"""Of the committed results."""

EDGES = tuple(power / 2 for power in range(-14, 4))
"""Of the histograms' bins: powers of ten, of a gradient's absolute value. What lies beyond, zeros too, is in the
outermost: weights of a class that a batch does not have get none."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FULL_SIZE, ALL_SIZES = "full size only", "all sizes"
TOGETHER = "all but to_picture"
"""The layers that gradients reach in either case, taken together."""

_PLACES = {
    "entry": lambda level: (0, level, 0),
    "down": lambda level: (1, level, 0),
    "fuse": lambda level: (1, level, 1),
    "up": lambda level: (2, -level, 0),
    "refine": lambda level: (2, -level, 1),
    "to_picture": lambda level: (2, -level, 2),
}
"""Of the generator's layers, on the way from its input to its pictures, by their levels."""


class FullSizeOnly(nn.Module):
    """A generator whose smaller pictures nobody sees."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, condition: Condition) -> Translation:
        return replace(self.generator(condition), pyramid=())


def main(
    data: DataOption = CAMVID,
    dataset: DatasetOption = "",
    size: SizeOption = "",
    steps: Annotated[int, typer.Option(min=1, help="Of training, after which gradients are looked at again.")] = STEPS,
    threads: ThreadsOption = 2,
    out: OutOption = None,
    sheets: SheetsOption = None,
) -> None:
    """Looks at the gradients, and writes gradient_flow.json, gradient_flow.md and the plot."""
    torch.set_num_threads(threads)
    try:
        ground = Ground.of(dataset, "", size, 0 if steps == STEPS else steps)
        config = replace(ground.moved(STUDY), data=str(data), device="cpu")
        rows = measure(config, steps)
    except InputError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    plan = {"dataset": config.dataset, "size": config.scale, "batch_size": config.batch_size, "steps": steps}
    results = {**machine.circumstances(), **plan, "edges": EDGES, "quantiles": QUANTILES, "rows": rows}
    to_markdown = partial(markdown, ground=ground)
    write(results, (out or ground.results) / f"gradient_flow{ground.suffix}.json", to_markdown)
    plot = (sheets or ground.pictures) / f"gradient_flow{ground.suffix}.png"
    write_atomically(plot, partial(draw(results).savefig, dpi=100))
    typer.echo(to_markdown(results))


def measure(config: TrainConfig, steps: int) -> list[Row]:
    """The distributions of all gradients, of both games, before the first step and after the last.

    Args:
        config: of a generator that makes pictures at several sizes, with a discriminator for each.
        steps: of training.

    Raises:
        InputError: data or configuration that cannot be used.
    """
    config = replace(config, steps=steps + 1)
    with join_processes(config.device) as processes, tempfile.TemporaryDirectory() as folder:
        run = prepare(replace(config, out=folder), processes)
        single = replace(config, out=folder, discriminator=replace(config.discriminator, num_scales=1))
        games = {FULL_SIZE: full_size_only(prepare(single, processes).game, run.game), ALL_SIZES: run.game}
        return [
            {"judged": name, "step": step, "layers": [described(*layer) for layer in found.items()]}
            for name, game in games.items()
            for step, found in followed(game, batches(run.samples, run.config, processes, 0), steps)
        ]


def full_size_only(game: Game, whole: Game) -> Game:
    """A game with a single discriminator, as it is played at full size only, from the weights that ``whole`` has."""
    assert game.discriminator is not None
    assert whole.discriminator is not None
    own, others = game.discriminator.network, whole.discriminator.network.state_dict()
    own.load_state_dict({name: others[name] for name in own.state_dict()})
    return replace(game, generator=replace(game.generator, network=FullSizeOnly(game.generator.network)))


def followed(game: Game, stream: Iterator[PairedSample], steps: int) -> Iterator[tuple[int, Mapping[str, Tensor]]]:
    """Plays the game for some steps; yields ``gradients`` on the first batch before them, on the next one after them.

    Args:
        game: with a discriminator.
        stream: of ``steps`` + 1 batches.
        steps: of training.
    """
    assert game.discriminator is not None
    for step, batch in enumerate(stream):
        if step in (0, steps):
            yield step, gradients(game, batch)
        if step < steps:
            fakes, _ = update_generator(game, [batch])
            update_discriminator(game, game.discriminator, [batch], fakes)


def gradients(game: Game, batch: PairedSample) -> dict[str, Tensor]:
    """Absolute gradients of the generator's convolutions by their names, flat, in the order of ``_PLACES``; then those
    of ``TOGETHER``. Layers that none reaches are left out.

    Of the sum over sizes that the paper minimises (Eq. 1); training takes the mean, which is the same to Adam.
    """
    network = game.generator.network
    weights = {_layer(name): weight for name, weight in network.named_parameters() if weight.dim() == 4}
    translation = network(batch.condition)
    targets = targets_of(batch, translation.pictures)
    fake, real = judgements(game, batch.condition, translation.pictures, targets)
    terms = generator_terms(game.objective, translation, targets, fake, real)
    loss = len(translation.pictures) * sum_of(terms)
    slopes = torch.autograd.grad(loss, [*weights.values()], allow_unused=True)
    by_layer = {name: slope.abs().flatten() for name, slope in zip(weights, slopes, strict=True) if slope is not None}
    found = {name: by_layer[name] for name in sorted(by_layer, key=_place)}
    return {**found, TOGETHER: torch.cat([part for name, part in found.items() if not name.startswith("to_picture")])}


def _layer(name: str) -> str:
    """A layer's name, such as down.0, from that of its weight."""
    part, level, *_ = name.removeprefix("generator.").split(".")
    return f"{part}.{level}"


def _place(layer: str) -> tuple[int, int, int]:
    part, level = layer.split(".")
    return _PLACES[part](int(level))


def described(layer: str, found: Tensor) -> Row:
    """A layer's gradients in what JSON can hold: ``QUANTILES``, and how many weights fall into each bin of ``EDGES``.

    Args:
        layer: its name.
        found: absolute gradients, flat.
    """
    values = found.double().numpy()
    with np.errstate(divide="ignore"):
        powers = np.clip(np.log10(values), EDGES[0], EDGES[-1])
    return {
        "layer": layer,
        "weights": len(values),
        "quantiles": [float(value) for value in np.quantile(values, QUANTILES)],
        "histogram": np.histogram(powers, EDGES)[0].tolist(),
    }


def markdown(results: Row, ground: Ground = COMMITTED) -> str:
    """The page of what was measured on some ground, or of the JSON that it was saved as."""
    text = (
        f"MSG U-Net's generator as in the paper's tables, on {results['dataset']} at {size_text(results['size'])}, "
        f"{results['batch_size']} pictures a batch. Twice from the same weights and with the same batches: judged at "
        "full size only, by one discriminator, and at all sizes that it makes, by one for each. The paper's Fig. 2 "
        "shows all gradients after 20 epochs, very close to zero without the smaller pictures, spread wider with them; "
        f"here they are shown layer by layer, at the start and after {results['steps']} steps. They are those of the "
        "paper's Eq. 1, a sum over sizes, where training takes the mean: as many times less as there are sizes, and "
        "the same to Adam; without the perceptual term, since VGG19's weights were not at hand."
    )
    legend = (
        "The median of the absolute gradients of each convolution's weights, on the way from the input to the "
        "pictures; of the decoder's layers `.0` is the one of full size. “times”: all sizes against full size only."
    )
    plot = f"![Gradients by layer]({ground.link('gradient_flow', '.png')})"
    title = "Gradients of MSG U-Net with and without its smaller pictures"
    return report(title, results, text, plot, legend, medians(results))


def medians(results: Row) -> str:
    """A line for each layer; at each step both medians, and how many times larger the second one is."""
    steps = (0, results["steps"])
    heads = [head for step in steps for head in (f"{_when(step)}, {FULL_SIZE}", ALL_SIZES, "times")]
    found = {
        (row["judged"], row["step"]): {layer["layer"]: layer for layer in row["layers"]} for row in results["rows"]
    }
    lines = []
    for name, layer in found[ALL_SIZES, 0].items():
        cells = [
            cell for step in steps for cell in _compared(found[FULL_SIZE, step].get(name), found[ALL_SIZES, step][name])
        ]
        lines.append([name, f"{layer['weights']}", *cells])
    return table(["layer", "weights", *heads], lines)


def _when(step: int) -> str:
    return f"after {step} steps" if step else "start"


def _compared(alone: Row | None, together: Row) -> list[str]:
    """Two medians and the second one's ratio to the first; of a layer that no gradient reaches, nothing."""
    middle = QUANTILES.index(0.5)
    with_all = together["quantiles"][middle]
    if alone is None:
        return ["–", f"{with_all:.1e}", ""]
    without = alone["quantiles"][middle]
    return [f"{without:.1e}", f"{with_all:.1e}", f"{with_all / without:.1f}" if without else ""]


if __name__ == "__main__":
    typer.run(main)
