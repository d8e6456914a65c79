"""`pixelwise translate`: command -> function, as in ``cli``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelwise.errors import InputError
from pixelwise.model_name import model_name
from pixelwise.terminal import console, tell

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from pixelwise.translate import Translator
    from pixelwise.translate.jobs import Outcome
    from pixelwise.translate.large import RowsDone


def translate(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders or globs.")],
    model: Annotated[str, typer.Option(help="A bundled name (facades, street, denoise) or a .safetensors file.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the pictures; names mirror the inputs'. For one input also a picture's name; "
            "one .tif or .dzi may be of any size. Without it NAME_MODEL, beside each file or folder that is named."
        ),
    ] = None,
    instances: Annotated[Path | None, typer.Option(help="Instance maps: a folder that mirrors the inputs'.")] = None,
    style: Annotated[Path | None, typer.Option(help="A picture whose look is wanted, or a folder of them.")] = None,
    style_labels: Annotated[Path | None, typer.Option(help="The label map of --style, if not the input.")] = None,
    style_instances: Annotated[Path | None, typer.Option(help="Its instance map, for models that read one.")] = None,
    class_style: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=PICTURE,LABELS[,INSTANCES]",
            help="One class looks as in this picture, for models whose classes have styles; may be repeated.",
        ),
    ] = None,
    redraw: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Seeds draw this class's style only, all else stays; may be repeated."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where random numbers begin, for models that draw some.")] = None,
    samples: Annotated[int | None, typer.Option(help="Pictures of each input, of seeds one after the other.")] = None,
    bank: Annotated[
        Path | None, typer.Option(help="The memory bank, for models that have one, if it is not beside the model.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Neighbours of one size translated together.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace pictures that are there.")] = False,
    suffix: Annotated[str, typer.Option("--format", help="png, jpg, tif or npy.")] = "png",
    region: Annotated[
        str | None, typer.Option(metavar="TOP,LEFT,HEIGHT,WIDTH", help="This part only, in pixels of the output.")
    ] = None,
    scale: Annotated[float, typer.Option(help="Pixels of the output per pixel of the input.")] = 1.0,
    preview: Annotated[bool, typer.Option(help="Of depth, also NAME_preview.png, coloured for the eye.")] = True,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    engine: Annotated[str, typer.Option(help="auto, or an engine that `pixelwise doctor` lists.")] = "auto",
    precision: Annotated[str, typer.Option(help="fp32; on a GPU also fp16 or bf16, which are faster.")] = "fp32",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch.")] = 0,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say which engine renders, and why.")] = False,
) -> None:
    """Translate pictures; inputs only, any size."""
    import torch

    from pixelwise.translate import job_plan, jobs
    from pixelwise.translate.style_wishes import ClassStyle, StyleWishes

    if threads:
        torch.set_num_threads(threads)
    translator = _load(model, device, engine, precision, bank, verbose)
    part = None if region is None else job_plan.read_region(region)
    by_class = tuple(ClassStyle.read(text) for text in class_style or ())
    styles = StyleWishes(style, style_labels, style_instances, by_class, tuple(redraw or ()))
    ending, name = f".{suffix.removeprefix('.')}", model_name(model)
    planned = job_plan.plan(inputs, out, ending, instances, style, seed, samples, name, styles.files, _note)
    wishes: dict[str, object] = {
        "--seed": seed is not None, "--style": style, "--style-labels": style_labels,
        "--style-instances": style_instances, "--class-style": class_style, "--redraw": redraw,
    }  # fmt: skip
    _check_deep_zoom(planned[0].destination, ending, wishes)
    groups = styles.groups(translator, planned)

    def run(progress: RowsDone) -> Generator[Outcome, None, None]:
        for some, look in groups:
            yield from jobs.run(
                translator, some, batch_size, overwrite, part, scale, style=look, previews=preview, progress=progress
            )

    tell(run, len(planned), out or job_plan.place_of(planned))


def _check_deep_zoom(destination: Path, ending: str, wishes: Mapping[str, object]) -> None:
    """Refuses Deep Zoom of many pictures, and options of which one that is made by rows knows nothing."""
    if ending.lower() == ".dzi":
        raise InputError(
            "--format dzi: Deep Zoom is made of one file, with --out NAME.dzi; expected png, jpg, tif or npy"
        )
    if destination.suffix.lower() != ".dzi":
        return
    for option, value in wishes.items():
        if value:
            other = destination.with_suffix(".tif").name
            raise InputError(f"{option}: not with {destination}, which is made by rows; write such as {other}")


def _note(text: str) -> None:
    console.print(f"note: {text}")


def _load(model: str, device: str, engine: str, precision: str, bank: Path | None, verbose: bool) -> Translator:
    """Refuses an engine that was named and cannot render this model, before any picture is read."""
    from pixelwise.device import find_dtype
    from pixelwise.translate import load
    from pixelwise.translate.engine_choice import explain_choice

    translator = load(model, device, engine, find_dtype(precision), bank)
    choice = explain_choice(translator, engine)
    if verbose:
        console.print(choice)
    return translator
