"""`pixelwise study …`: command -> function, nothing else, as in ``cli``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from pixelwise.atomic import check_writable, write_text
from pixelwise.errors import InputError
from pixelwise.model_name import model_name
from pixelwise.terminal import progress_bar

app = typer.Typer(help="Ask people which of several models' pictures they prefer.", no_args_is_help=True)


@app.command()
def prepare(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER FOLDER...", help="Pictures, one folder a model.")],
    out: Annotated[Path, typer.Option(metavar="FILE.sqlite", help="The study to write; answers will be in it, too.")],
    name: Annotated[
        list[str] | None, typer.Option(help="A model's name, once for each folder; else the folder's own.")
    ] = None,
    conditions: Annotated[
        Path | None, typer.Option(help="What the models were given, shown above each pair as browsers show it.")
    ] = None,
    photos: Annotated[
        Path | None, typer.Option(help="The real ones, for catch trials; without them a model's are used.")
    ] = None,
    question: Annotated[str, typer.Option(help="What raters are asked.")] = "Which picture looks more realistic?",
    per_pair: Annotated[int, typer.Option(help="Pictures on which a rater compares each two models, at most.")] = 50,
    catches: Annotated[int, typer.Option(help="Catch trials of each rater, at most one a picture.")] = 5,
    seconds: Annotated[float, typer.Option(help="After which a pair vanishes, still to be answered; 0: never.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of who sees what, in which order and on which side.")] = 0,
    common: Annotated[bool, typer.Option("--common", help="Leave out pictures that are not in all folders.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a study that has no answers yet.")] = False,
) -> None:
    """Make a study of pictures that several models made of the same inputs."""
    from pixelwise.study import Rules
    from pixelwise.study.preparation import Sources
    from pixelwise.study.preparation import prepare as run

    names = name or [model_name(folder) for folder in folders]
    if len(names) != len(folders) or len(set(names)) < len(names):
        raise InputError(f"{len(folders)} folders need as many different names: --name A --name B …, got {names}")
    rules = Rules(question, per_pair, catches, seconds, seed)
    sources = Sources(dict(zip(names, folders, strict=True)), conditions, photos)
    with progress_bar() as show:
        study = run(out, sources, rules, common, overwrite, show)
    print(
        f"wrote {out}: {len(study.models)} models, {len(study.scenes)} scenes; each rater sees {study.num_trials} "
        f"pairs, {len(study.catches)} of them catch trials"
    )


@app.command()
def serve(
    study: Annotated[Path, typer.Argument(metavar="FILE.sqlite")],
    host: Annotated[str, typer.Option(help="127.0.0.1: this machine only; 0.0.0.0: whoever reaches it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
) -> None:
    """Ask raters in their browsers, until Ctrl-C; raters who return go on where they stopped."""
    from pixelwise.study.server import serve as run

    run(study, host, port, lambda address: print(f"{study} at {address} (Ctrl-C ends it)", flush=True))


@app.command()
def report(
    study: Annotated[Path, typer.Argument(metavar="FILE.sqlite")],
    max_failed: Annotated[
        float | None,
        typer.Option(help="Share of the catch trials, 0 to 1, beyond which a rater is excluded; 0.2 unless told."),
    ] = None,
    scenes: Annotated[bool, typer.Option("--scenes", help="Also scene by scene.")] = False,
    csv_out: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write every answer.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report.")] = None,
) -> None:
    """Say which models are preferred, and how surely."""
    from pixelwise.study import Store, analyse, markdown, to_csv

    _check_outputs(study, {"--csv": csv_out, "--json": json_out})
    store = Store(study)
    answers = store.answers()
    found = analyse(store.study, answers, max_failed)
    if csv_out is not None:
        write_text(csv_out, to_csv(answers))
    if json_out is not None:
        write_text(json_out, json.dumps(found.to_json(), indent=1) + "\n")
    print(markdown(found, scenes), end="")


def _check_outputs(study: Path, outputs: Mapping[str, Path | None]) -> None:
    """Raises InputError for files that cannot be written, or that would replace the study or one another.

    Args:
        study: the file that is reported on.
        outputs: the files to be written, by their options.
    """
    taken = {study.resolve(): f"the study {study}"}
    for option, path in outputs.items():
        if path is None:
            continue
        if (place := path.resolve()) in taken:
            raise InputError(f"{option} {path}: is the same file as {taken[place]}; expected another one")
        check_writable(path)
        taken[place] = f"{option} {path}"
