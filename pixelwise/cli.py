"""The command line: command -> function, nothing else.

Commands import what they call when they run: `pixelwise --help` must not wait for torch.
"""

from __future__ import annotations

import io
import json
import logging
import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from pixelwise import cli_evaluate, cli_study, cli_translate
from pixelwise.errors import InputError
from pixelwise.terminal import console, fail, progress_bar

app = typer.Typer(
    help="Translates images at full resolution fast.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_study.app, name="study")
app.command("translate")(cli_translate.translate)
app.command("evaluate")(cli_evaluate.evaluate)
INTERRUPTED, TERMINATED = 130, 143


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A folder of pairs: FOLDER/SPLIT/KIND/STEM.EXT.")],
    spec: Annotated[Path | None, typer.Option(help="The data set's spec, if not FOLDER/spec.json.")] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="A published data set in its own layout: cityscapes, ade20k, …")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Read every file of a data set and say what is wrong; exit status 1 if something is."""
    from pixelwise.check import check_dataset, check_folder
    from pixelwise.data.paired_folder import FolderSpec

    if spec is not None and dataset is not None:
        raise InputError("give either a spec or the name of a data set, which knows its own")
    with progress_bar() as show:
        if dataset is None:
            report = check_folder(folder, spec=None if spec is None else FolderSpec.read_file(spec), progress=show)
        else:
            report = check_dataset(folder, dataset, progress=show)
    print(json.dumps(report.to_json(), indent=1) if as_json else report.to_text())
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def memorise(
    dataset: Annotated[str, typer.Option(metavar="NAME", help="camvid, cityscapes, paired_folder, …")],
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    split: Annotated[str, typer.Option(help="The part of the set that may be drawn from.")] = "train",
    licence: Annotated[str, typer.Option(help="Terms of its pictures, which the bank holds.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the bank if it is there.")] = False,
) -> None:
    """Cut a training set into the memory bank that SIMS models compose their pictures of."""
    from pixelwise.memorise import memorise as run

    with progress_bar() as show:
        count = run(dataset, data, split, out, licence, overwrite, show)
    print(f"wrote {out}: {count} segments")


@app.command()
def learn_styles(
    model: Annotated[str, typer.Argument(help="A .safetensors file, of a pix2pixHD with features of objects.")],
    dataset: Annotated[str, typer.Option(metavar="NAME", help="cityscapes, paired_folder, …")],
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write; the model's own with --overwrite.")],
    split: Annotated[str, typer.Option(help="The part of the set that styles are found in.")] = "train",
    scale: Annotated[int | None, typer.Option(min=1, help="Resize the short side to so many pixels first.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where random numbers begin.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the checkpoint if it is there.")] = False,
) -> None:
    """Let an adopted model find the styles of a training set, to draw from; training does so at its end."""
    from pixelwise.learn_styles import learn_styles as run

    with progress_bar() as show:
        manifest = run(model, dataset, data, split, out, scale, seed, device, overwrite, show)
    print(f"wrote {out}: {manifest.family}, {manifest.source}")


# What follows EXPERIMENT is left to its configuration, --help too.
@app.command(context_settings={"allow_interspersed_args": False})
def train(
    experiment: Annotated[Path, typer.Argument(help="A Python file that binds `config`, a TrainConfig.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="--FIELD VALUE", help="Fields to change; `train EXPERIMENT --help` lists them."),
    ] = None,
) -> None:
    """Train, or go on with a run that was stopped. Fields of the config are flags: --batch-size 4, --crop 256x256."""
    from pixelwise.training import train as run
    from pixelwise.training.experiment import read_experiment
    from pixelwise.training.overrides import describe_flags, override
    from pixelwise.training.step import Diverged

    config = read_experiment(experiment)
    if "--help" in (overrides or ()):
        print(f"Usage: pixelwise train {experiment} [--FIELD VALUE]...\n\n{describe_flags(config)}")
        return
    try:
        print(f"wrote {run(override(config, overrides or ()))}")
    except Diverged as error:
        fail(f"diverged: {error}")


@app.command()
def adopt(
    family: Annotated[str, typer.Argument(help="asapnet, …")],
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Published: .pth, .pt, .npz; read as weights only.")],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    encoder: Annotated[Path | None, typer.Option(help="The encoder's weights, if published apart.")] = None,
    published: Annotated[str | None, typer.Option(help="Name of a published configuration.")] = None,
    config: Annotated[Path | None, typer.Option(help="JSON of the configuration's fields, for others.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the checkpoint if it is there.")] = False,
) -> None:
    """Turn published weights into a checkpoint."""
    from pixelwise.adopt import adopt_file

    manifest = adopt_file(family, source, out, published, config, overwrite, encoder)
    print(f"wrote {out}: {manifest.family}, {manifest.source}")


@app.command()
def bench(
    model: Annotated[list[str] | None, typer.Option(help="A bundled name or a file; else the paper's network.")] = None,
    families: Annotated[str, typer.Option(help="all, or names: what each costs, instead of ASAP-Net's engines.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Small pictures, once: does it work?")] = False,
    sizes: Annotated[str, typer.Option(help="HEIGHTxWIDTH, with commas; without it some of 256x256 and more.")] = "",
    engines: Annotated[str, typer.Option(help="Names, with commas; without it all that can run.")] = "",
    repeats: Annotated[int, typer.Option(min=0, help="Rounds that are measured; 0: as suits the device.")] = 0,
    memory: Annotated[bool, typer.Option(help="Measure memory too, each time in a process of its own.")] = True,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write results, and tables beside.")] = None,
) -> None:
    """Measure how fast pictures are made here; every engine is first shown to compute the same as the plain network."""
    import torch

    from pixelwise import bench
    from pixelwise.device import find_device

    if threads:
        torch.set_num_threads(threads)
    if out is not None:
        bench.check_out(out)
    if families and (model or engines or device != "cpu"):
        raise InputError("--families: measured as published and on the CPU, so without --model, --engines and --device")
    try:
        if families:
            results = bench.measure_published(families, quick, sizes, repeats, memory, console.print)
        else:
            plan = bench.plan_on(find_device(device), quick).changed(model or (), sizes, engines, repeats, memory)
            results = bench.measure(plan, progress=console.print)
    except bench.Unequal as error:
        fail(f"refused: {error}")
    to_markdown = bench.families_markdown if families else bench.markdown
    print(to_markdown(results), end="")
    if out is not None:
        bench.write(results, out, to_markdown)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Say what this machine can do: which engines run, why others don't, and which one "auto" means."""
    from pixelwise.doctor import diagnose

    diagnosis = diagnose()
    print(json.dumps(diagnosis.to_json(), indent=1) if as_json else diagnosis.to_text())


@app.callback(invoke_without_command=True)
def main_options(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    if version:
        from pixelwise.version import VERSION

        print(VERSION)
        raise typer.Exit


def main() -> None:
    """The `pixelwise` command. What a user can put right ends in one line and status 1, Ctrl-C in status 130.

    Being told to terminate ends it as an exception does: what is half done is cleared away.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(TERMINATED))
    # A name that the terminal cannot show is no reason to stop; nor are readers' remarks, for what is wrong is told.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"PIL|torch\.(serialization|_weights_only_unpickler)")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except (InputError, OSError) as error:
        fail(f"error: {error}")
