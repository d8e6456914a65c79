"""ASAP-Net as a denoiser: designs trained alike, beside DnCNN and two classical filters. What does speed cost?

An MLP that reads one pixel cannot average its neighbours: as it was published, ASAP-Net does not denoise. What is tried
against that: a residual output; a window of k x k pixels for the MLPs to read; in their place one kernel, which is the
window times one layer; pixel unshuffle for the stream, where the tent filter would leave it no noise to judge by; ever
smaller cells; and a second pass over what the first one made.

    pixelwise adopt dncnn dncnn_25.pth --published kair_25 --out dncnn.safetensors
    python benchmarks/restorers.py --dncnn dncnn.safetensors

The second call trains the candidates that are not trained yet, each on the same patches in the same order, and can be
stopped at any time; then it measures quality by ``PROTOCOL``, and the time of a photo with all of them taking turns. It
writes ``results/restorers.json``, the table of ``results/restorers.md`` and ``docs/restorers.png``, made from it.
With ``--trained FILE`` models that were trained longer, by experiments of their own, take the candidates' place; that
is ``results/restorers_trained.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle
from torch import Tensor

from pixelwise import machine
from pixelwise.atomic import write_atomically
from pixelwise.bench.laps import in_turns
from pixelwise.bench.measurement import write
from pixelwise.bench.table import Row, size_text
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.evaluation import Setting, prepare, protocol_named, score
from pixelwise.losses.objective import Objective
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.metrics.complexity import count_macs, num_parameters
from pixelwise.model_name import model_name
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig, train
from pixelwise.translate import load
from restorers_plot import draw_frontier

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PLOT = ROOT / "docs" / "restorers.png"
DATA = ROOT.parent / "shared" / "data" / "bsd_gray"

SIGMA = 25
PROTOCOL = f"bsd68-gray-sigma{SIGMA}-v1"
PHOTO = (1024, 1024)
TOLERANCE = 1e-4

Restore = Callable[[Condition], Tensor]
"""From a noisy picture, 1 1 H W in [-1, 1], to a clean one."""

_PIXEL = AsapNetConfig(
    cell=16,
    width=32,
    max_width=192,
    num_blocks=6,
    mlp_width=16,
    mlp_depth=3,
    padding="replicate",
    norm="batch",
    tanh=False,
    residual=True,
    scaled_parameters=True,
)
_FINE = replace(_PIXEL, cell=4, unshuffle=4, max_width=96)
_FINEST = replace(_PIXEL, cell=2, unshuffle=2, max_width=48, num_blocks=8, neighbourhood=5, mlp_depth=1)

CANDIDATES: Mapping[str, AsapNetConfig] = {
    "pixel": _PIXEL,
    "window": replace(_PIXEL, neighbourhood=7),
    "unshuffled": replace(_PIXEL, cell=8, unshuffle=8, neighbourhood=5),
    "fine": _FINE,
    "fine, window": replace(_FINE, neighbourhood=5),
    "fine, kernel": replace(_FINE, neighbourhood=7, mlp_depth=1),
    "finest, kernel": _FINEST,
    "finest, kernel, twice": replace(_FINEST, passes=2),
    "finest, kernel, wide": replace(_FINEST, max_width=64, num_blocks=10),
}

STUDY = TrainConfig(
    model=_PIXEL,
    objective=Objective(adversarial=None, feature_matching=0.0, perceptual=0.0, l1=1.0, kl=0.0),
    dataset="bsd_gray",
    data=str(DATA),
    out="",
    crop=(64, 64),
    batch_size=16,
    steps=1000,
    constant_steps=600,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    max_gradient_norm=1.0,
    ema_decay=0.99,
    save_every=200,
    sheet_every=1000,
    validate_every=500,
)


@dataclass(frozen=True)
class Restorer:
    """One row of the table.

    Attributes:
        name, what: for the table.
        restore: as a user has it.
        cost: parameters and multiply-adds per pixel; nothing for filters.
    """

    name: str
    what: str
    restore: Restore
    cost: Row


def main(
    dncnn: Annotated[Path, typer.Option(help=f"DnCNN-S for noise of {SIGMA}, adopted.")],
    data: Annotated[Path, typer.Option(help="Folder of bsd_gray.")] = DATA,
    runs: Annotated[Path, typer.Option(help="Folder for the candidates' runs.")] = ROOT / "runs" / "restorers",
    trained: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Measure this model instead of candidates; repeatable.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="In which all take turns, after one that warms up.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for the JSON file and the table.")] = RESULTS,
    plot: Annotated[Path, typer.Option(help="Where the plot of the candidates goes.")] = PLOT,
) -> None:
    """Trains what is missing, measures all, and writes restorers.json, restorers.md and the plot."""
    torch.set_num_threads(threads)
    try:
        study = None if trained else replace(STUDY, data=str(data))
        if study is None:
            checkpoints = {model_name(path): path for path in trained or ()}
        else:
            checkpoints = {name: train(of_study(study, name, runs)) for name in CANDIDATES}
        restorers = [*map(classical, CLASSICAL), published(dncnn), *map(candidate, checkpoints, checkpoints.values())]
        results = measure(restorers, study, data, rounds)
    except InputError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    write(results, out / ("restorers_trained.json" if study is None else "restorers.json"), markdown)
    if study is not None:
        figure = draw_frontier(results)
        write_atomically(plot, lambda beside: figure.savefig(beside, format="png", dpi=110))
    typer.echo(markdown(results))


def of_study(study: TrainConfig, name: str, runs: Path) -> TrainConfig:
    return replace(study, model=CANDIDATES[name], out=str(runs / name.replace(", ", "_")))


def candidate(name: str, checkpoint: Path) -> Restorer:
    """Raises InputError unless it is an ASAP-Net, and what is timed computes what was trained."""
    translator = load(checkpoint, "cpu")
    config = translator.generator.config
    if not isinstance(config, AsapNetConfig):
        raise InputError(f"{checkpoint}: is of the family {translator.manifest.family}, expected asapnet")
    noisy = noisy_photo((97, 130))
    with torch.inference_mode():
        expected = translator.generator(noisy).image.clamp(-1, 1)
    if not (error := float((translator.translate(noisy) - expected).abs().max())) <= TOLERANCE:
        raise InputError(
            f"{checkpoint}: prepared for inference it is {error:.3g} off, at most {TOLERANCE:g} is allowed"
        )
    mlp = "one layer" if config.mlp_depth == 1 else f"{config.mlp_depth} layers of {config.mlp_width}"
    twice = f", {config.passes} times" if config.passes > 1 else ""
    what = (
        f"cells of {config.cell}, {config.neighbourhood}×{config.neighbourhood} pixels through {mlp}{twice}; stream: "
        f"unshuffled by {config.unshuffle}, {config.num_blocks} blocks of {config.max_width}"
    )
    return Restorer(name, what, translator.translate, cost_of(translator.generator))


def published(path: Path) -> Restorer:
    translator = load(path, "cpu")
    what = (
        f"{translator.manifest.config['depth']} layers of {translator.manifest.config['width']}, its authors' weights"
    )
    return Restorer("DnCNN-S", what, translator.translate, cost_of(translator.generator))


def cost_of(generator: Any) -> Row:
    side = 256
    macs = count_macs(generator, noisy_photo((side, side)))
    return {
        "parameters": num_parameters(generator),
        "macs_per_pixel": macs.total / side**2,
        "pixelwise_macs_per_pixel": None if macs.pixelwise is None else macs.pixelwise / side**2,
    }


def _non_local_means(noisy: np.ndarray) -> np.ndarray:
    # Sigma is known to it, as to the others; h as the library's documentation advises.
    filtered: np.ndarray = denoise_nl_means(
        noisy, patch_size=5, patch_distance=6, h=0.6 * SIGMA / 255, sigma=SIGMA / 255
    )
    return filtered


def _total_variation(noisy: np.ndarray) -> np.ndarray:
    filtered: np.ndarray = denoise_tv_chambolle(noisy, weight=0.1)
    return filtered


CLASSICAL: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "non-local means": _non_local_means,
    "total variation": _total_variation,
}
"""From a noisy picture H W, 0 to 1, to a clean one; on one thread."""


def classical(name: str) -> Restorer:
    def restore(condition: Condition) -> Tensor:
        assert condition.image is not None
        noisy = ((condition.image[0, 0] + 1) / 2).numpy()
        return torch.from_numpy(CLASSICAL[name](noisy).astype(np.float32))[None, None].clamp(0, 1) * 2 - 1

    return Restorer(name, "scikit-image, on one thread", restore, {})


def measure(restorers: Sequence[Restorer], study: TrainConfig | None, data: Path, rounds: int) -> Row:
    """All rows, in what JSON can hold; the ratios are to DnCNN's time. A study trained all candidates alike."""
    examination = prepare(Setting(protocol_named(PROTOCOL), data))
    found = {restorer.name: score(restorer.restore, restorer.name, examination) for restorer in restorers}
    seconds = time_in_turns(restorers, rounds)
    dncnn = seconds["DnCNN-S"]["median"]
    return {
        **machine.circumstances(),
        "protocol": PROTOCOL,
        "targets_sha256": found["DnCNN-S"].targets_digest,
        "photo": PHOTO,
        "rounds": rounds,
        **({} if study is None else _budget(study)),
        "rows": [
            {
                "name": restorer.name,
                "what": restorer.what,
                "scores": found[restorer.name].figures,
                "seconds": seconds[restorer.name],
                "times_faster": dncnn / seconds[restorer.name]["median"],
                **restorer.cost,
            }
            for restorer in restorers
        ],
    }


def _budget(study: TrainConfig) -> Row:
    return {"steps": study.steps, "patches_seen": study.steps * study.batch_size, "patch": study.crop}


def time_in_turns(restorers: Sequence[Restorer], rounds: int) -> dict[str, Row]:
    """Seconds of one photo."""
    photo = noisy_photo(PHOTO)
    runs = {restorer.name: partial(restorer.restore, photo) for restorer in restorers}
    return {name: asdict(runtime) for name, runtime in in_turns(runs, rounds, unmeasured=1).items()}


def noisy_photo(size: tuple[int, int]) -> Condition:
    """Grey, under the noise of the study; what is in it does not matter to any of them."""
    generator = torch.Generator().manual_seed(0)
    return Condition(image=2 * SIGMA / 255 * torch.randn(1, 1, *size, generator=generator))


def markdown(results: Row) -> str:
    """The table of what ``measure`` returned, or of the JSON that it was saved as."""
    heads = ["", "PSNR, dB", "SSIM", "ms per Mpixel", "× DnCNN-S", "kMAC per pixel", "parameters, M", "what"]
    megapixels = results["photo"][0] * results["photo"][1] / 1e6
    cells = [
        [
            row["name"],
            f"{row['scores']['psnr']:.2f}",
            f"{row['scores']['ssim']:.4f}",
            f"{1000 * row['seconds']['median'] / megapixels:.0f}",
            f"{row['times_faster']:.1f}",
            f"{row['macs_per_pixel'] / 1000:.1f}" if "macs_per_pixel" in row else "",
            f"{row['parameters'] / 1e6:.2f}" if "parameters" in row else "",
            row["what"],
        ]
        for row in results["rows"]
    ]
    if "steps" in results:
        training = (
            f"Every ASAP-Net saw the same {results['patches_seen']} patches of {size_text(results['patch'])}, "
            f"{results['steps']} steps on a CPU, which is little: DnCNN's authors trained theirs for hundreds of times "
            "as much."
        )
    else:
        training = "Each ASAP-Net was trained by an experiment of its own."
    text = (
        f"Quality by {results['protocol']}. {training} Time: one photo of {size_text(results['photo'])}, medians of "
        f"{results['rounds']} rounds in which all take turns; each network as it is prepared for inference, shown "
        "equal to its definition first."
    )
    return "\n\n".join(["# Denoising: quality and time", circumstances_text(results), text, table(heads, cells)]) + "\n"


if __name__ == "__main__":
    typer.run(main)
