"""On what networks are trained and judged, where that is to be other than what was committed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from pixelwise.bench.plan import read_sizes
from pixelwise.data import DATASETS, dataset_named
from pixelwise.errors import InputError
from pixelwise.evaluation import PROTOCOLS, Protocol, protocol_for, protocol_named
from pixelwise.training import TrainConfig

ROOT = Path(__file__).parents[1]
RESULTS, DOCS = ROOT / "benchmarks" / "results", ROOT / "docs"
UNCOMMITTED = ROOT / "out" / "benchmarks"

DatasetOption = Annotated[
    str,
    typer.Option(help=f"Train and judge on this kind of data in place of the committed one: {', '.join(DATASETS)}."),
]
ProtocolOption = Annotated[
    str, typer.Option(help="By which networks are judged; otherwise as committed, or as suits the data.")
]
SizeOption = Annotated[
    str, typer.Option(metavar="HEIGHTxWIDTH", help="Of the pictures that networks are trained on; --dataset needs one.")
]
StepsOption = Annotated[int, typer.Option(min=0, help="Of every training; 0: as committed.")]
OutOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder for the JSON file and the table; otherwise that of the committed ones, or out/benchmarks."
    ),
]
SheetsOption = Annotated[
    Path | None, typer.Option(help="Folder for the pictures; otherwise that of the committed ones, or out/benchmarks.")
]


@dataclass(frozen=True)
class Ground:
    """What is otherwise; nothing in one made without arguments. Results of any other one go to ``UNCOMMITTED``: their
    pictures may be of data that must not be shown.

    Attributes:
        dataset: a name of ``DATASETS``, or empty.
        protocol: a protocol's name, or empty.
        size: (height, width) of the pictures that networks are trained on, or None.
        steps: of every training, or 0.
    """

    dataset: str = ""
    protocol: str = ""
    size: tuple[int, int] | None = None
    steps: int = 0

    @classmethod
    def of(cls, dataset: str, protocol: str, size: str, steps: int) -> Ground:
        """From what the command line says.

        Raises InputError for an unknown data set or protocol, or no size; or for a data set without one: the committed
        size would squash its pictures.
        """
        if dataset:
            dataset_named(dataset)
        if protocol:
            protocol_named(protocol)
        sizes = read_sizes(size) if size else (None,)
        if len(sizes) > 1:
            raise InputError(f"--size {size}: expected one size")
        if dataset and not size:
            raise InputError(f"--dataset {dataset}: give --size HEIGHTxWIDTH too, of the pictures to be trained on")
        return cls(dataset, protocol, sizes[0], steps)

    @property
    def suffix(self) -> str:
        """What tells the names of results on this ground from those that are committed."""
        size = "x".join(map(str, self.size)) if self.size else ""
        told = (self.dataset, self.protocol, size, f"{self.steps}steps" if self.steps else "")
        return "".join(f"_{part}" for part in told if part)

    @property
    def results(self) -> Path:
        """The folder for JSON files and tables."""
        return RESULTS if self == COMMITTED else UNCOMMITTED

    @property
    def pictures(self) -> Path:
        """The folder for pictures."""
        return DOCS if self == COMMITTED else UNCOMMITTED

    def link(self, name: str, end: str = ".jpg") -> str:
        """Where a page of results finds its picture."""
        return f"../../docs/{name}{end}" if self == COMMITTED else f"{name}{self.suffix}{end}"

    def picture(self, name: str, networks: Iterable[str]) -> str:
        """The picture of a page with what it shows: inputs, then what each network makes of them."""
        inputs = f"Samples of {self.dataset}" if self.dataset else "Label maps drawn for this project"
        end = "; at the end what they are compared with" if self.dataset else ""
        caption = f"*{inputs}, then what each makes of them: {'; '.join(networks)}{end}.*"
        return f"![Inputs and what the networks make of them]({self.link(name)})\n\n{caption}"

    def moved(self, config: TrainConfig) -> TrainConfig:
        """The same training run on this ground: rates fall after the same part of it, crops are as large as fits."""
        steps = self.steps or config.steps
        size = self.size or config.scale
        crop = config.crop
        if crop is not None and isinstance(size, tuple) and any(a > b for a, b in zip(crop, size, strict=True)):
            crop = None
        return replace(
            config,
            dataset=self.dataset or config.dataset,
            scale=size,
            crop=crop,
            steps=steps,
            constant_steps=round(config.constant_steps * steps / config.steps),
            sheet_every=steps,
            validate_every=steps,
        )

    def protocol_for(self, root: Path) -> Protocol:
        """The protocol that was named, otherwise that of the data set; at this size if it leaves that open.

        Args:
            root: folder of the data.

        Raises:
            InputError: there is none, or several suit; they are named.
        """
        found = protocol_named(self.protocol) if self.protocol else self._suiting(root)
        return found if self.size is None or found.size is not None else found.at(self.size)

    def _suiting(self, root: Path) -> Protocol:
        suiting = [each for each in PROTOCOLS.values() if each.data is DATASETS.get(self.dataset)]
        suiting = [each for each in suiting if each.size == self.size] or suiting
        if len(suiting) > 1:
            raise InputError(
                f"several protocols suit, --protocol says which: {', '.join(each.name for each in suiting)}"
            )
        return suiting[0] if suiting else protocol_for(root, None)


COMMITTED = Ground()
