"""A trained ASAP-Net made ready for inference: the same pictures, several times as fast, whole or in part.

Weights are folded and packed once. The low-resolution stream reads labels instead of one-hot planes; only the
parameters of labels that are there, and of cells that are in view, are computed.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.labels import occurring
from pixelwise.layers.semantics import labels_of
from pixelwise.lowres.dense import DenseStream
from pixelwise.lowres.reference import LowResolutionStream
from pixelwise.lowres.stream import FastStream, can_pack
from pixelwise.lowres.streamed import KEPT_BYTES
from pixelwise.lowres.winograd import SIDE
from pixelwise.models.asapnet import AsapNet
from pixelwise.models.edited_asapnet import EditedAsapNet
from pixelwise.models.family import Editing, Translation
from pixelwise.models.graphed_asapnet import PARAMETER_BYTES, GraphedAsapNet, can_graph
from pixelwise.models.streamed_asapnet import ReadRows, StreamedAsapNet
from pixelwise.native import library
from pixelwise.render import ENGINES, Guide, PixelwiseField, Window, render
from pixelwise.render.axis import visible_cells
from pixelwise.render.bands import joined
from pixelwise.render.guide import interpolated
from pixelwise.render.window import covered

BAND_BYTES = 32 << 20
"""About as much memory as parameters may take at a time on a CPU: what comes from the stream should still be in the
cache when it is rendered, and large pictures have many cells. On a GPU only memory sets a limit."""

WHOLE_BYTES = 32 << 20
"""As much as the stream's input planes may take; see ``_is_large``."""

DTYPES = (torch.float32, torch.float16, torch.bfloat16)

Cells = tuple[int, int, int, int]
"""(top, left, height, width) in cells."""

Fields = Callable[[Guide, Window, float], PixelwiseField]
"""From the guide around a window, the window and the scale to the field of the cells that act on the window."""


class FastAsapNet:
    """An ASAP-Net for inference, without gradients.

    Args:
        generator: the trained network, in eval mode. Its weights are copied where they have to be packed, so that later
            changes to it are not seen.
        engine: a name of ``render.ENGINES``, for both streams: "native" compiles the low-resolution one too, "torch"
            has it in plain torch; "auto" takes the compiled kernels where they are and the network is on the CPU. On a
            GPU with "auto" and "gpu" whole pictures are CUDA graphs.
        dtype: in which both streams compute, sums and statistics excepted: float32, or on a GPU float16 or bfloat16.

    Attributes:
        graphed: makes whole pictures by CUDA graphs; None where that cannot be.

    Raises:
        InputError: an unknown engine, or one that cannot run here or in ``dtype``.
    """

    def __init__(self, generator: AsapNet, engine: str = "auto", dtype: torch.dtype = torch.float32) -> None:
        if engine != "auto" and engine not in ENGINES:
            raise InputError(f"engine {engine!r} is not one of auto, {', '.join(ENGINES)}")
        if engine != "auto" and (reason := ENGINES[engine].missing()):
            raise InputError(f"engine {engine!r} cannot be used: {reason}")
        self._on_cpu = next(generator.parameters()).device.type == "cpu"
        _check_dtype(dtype, engine, self._on_cpu)
        self.generator = generator
        self.config = generator.config
        self.size_multiple = generator.size_multiple
        self.engine = engine
        self._dtype = dtype
        self._stream = None if engine == "reference" else self._packed_stream()
        self.graphed: GraphedAsapNet | None = None
        if isinstance(self._stream, DenseStream) and engine in ("auto", "gpu") and can_graph(generator, dtype):
            self.graphed = GraphedAsapNet(generator, self._stream)

    def _packed_stream(self) -> FastStream | DenseStream | None:
        """The low-resolution stream; None where it is a constant, or cannot be packed."""
        stream, num_labels = self.generator.stream, self.config.num_labels
        if not isinstance(stream, LowResolutionStream) or not can_pack(stream, num_labels):
            return None
        scale = self.generator.get_buffer("parameter_scale")
        if not self._on_cpu:
            return DenseStream(stream, num_labels, scale, self._dtype)
        return FastStream(stream, num_labels, scale, self.engine in ("auto", "native") and library.missing() is None)

    @torch.no_grad()
    def __call__(self, condition: Condition, window: Window | None = None, scale: float = 1.0) -> Translation:
        """What the generator makes of ``condition``, or a part of it.

        Args:
            condition: B H W of any size.
            window: the part wanted, in pixels of the output; None for all.
            scale: pixels of the output per pixel of the condition.

        Raises:
            InputError: see ``render``, and ``semantic_planes`` for what may be wrong with the condition.
        """
        if window is None and scale == 1:
            if self.graphed is not None and self.graphed.takes(condition):
                return Translation(self.graphed(condition))
            if isinstance(self._stream, FastStream) and len(condition) == 1 and self._is_large(condition.size):
                return Translation(self._streamed(self._stream, condition))
        return self.part(condition, self.features(condition), window, scale)

    @torch.no_grad()
    def features(self, condition: Condition) -> Tensor | None:
        """What the low-resolution stream makes of the condition, B C h w: all of it but its last layer."""
        return None if self._stream is None else self._features(self._stream, condition)

    @torch.no_grad()
    def part(
        self, condition: Condition, features: Tensor | None, window: Window | None = None, scale: float = 1.0
    ) -> Translation:
        """A window of the picture, from what ``features`` made of the whole condition. See ``__call__``."""
        fields = partial(self.field, condition, features)
        return self.assemble(condition, self.generator.guide(condition), fields, window, scale)

    @torch.no_grad()
    def edit(self, condition: Condition, approximate: bool = False) -> Editing:
        """See ``WindowGenerator.edit``.

        Raises:
            InputError: as ``__call__``; more than one condition; or there is nothing to keep: the engine "reference"
                computes all anew, and a model with one MLP for all cells has nothing to compute.
        """
        if self._stream is None:
            reason = "a model with one MLP for all cells" if self.config.constant_mlp else "the engine 'reference'"
            raise InputError(f"{reason} has no editing sessions: nothing is computed that could be kept")
        stream, has_statistics = self._stream, self.config.norm == "instance"
        if approximate and has_statistics:
            stream = self._frozen(stream, condition)
        features = partial(self._features, stream)
        return EditedAsapNet(self, condition, features, stream.parameters, approximate or not has_statistics)

    @property
    def has_rows(self) -> bool:
        """Not for a constant MLP, which has no stream, and not on a GPU."""
        return isinstance(self._stream, FastStream)

    def by_rows(
        self, size: tuple[int, int], read: ReadRows, scratch: Path, window: Window | None = None
    ) -> Iterator[Tensor]:
        """See ``WindowGenerator.by_rows``. Raises InputError for a constant MLP, and unless the model is on the CPU."""
        if not isinstance(self._stream, FastStream):
            raise InputError("only a model with a low-resolution stream can be streamed, and only on the CPU")
        return StreamedAsapNet(self, self._stream, size, read, scratch).bands(window or Window(0, 0, *size))

    def _is_large(self, size: tuple[int, int]) -> bool:
        """Whether to stream a whole picture too, since its planes or the stream's first layer would take much memory.

        With instance norms layers are made anew for the statistics of those above them; then only very large ones are
        worth it.
        """
        config, num_bytes = self.config, 4 * math.prod(size)
        planes = num_bytes * (config.image_channels + config.instance_edges)
        first_layer = num_bytes * config.width // (config.cell // config.strided_reduction) ** 2
        return planes > WHOLE_BYTES or first_layer > WHOLE_BYTES * (16 if config.norm == "instance" else 2)

    def _streamed(self, stream: FastStream, condition: Condition) -> Tensor:
        def read(start: int, stop: int) -> Condition:
            return condition.map_planes(lambda plane: plane[..., start:stop, :])

        with tempfile.TemporaryDirectory(prefix="pixelwise-") as scratch:
            streamed = StreamedAsapNet(self, stream, condition.size, read, Path(scratch))
            return joined(streamed.bands(Window(0, 0, *condition.size)), condition.size[0])

    def scratch_bytes(self, size: tuple[int, int]) -> int:
        num_cells = math.prod(-(-side // self.config.cell) for side in size)
        num_bytes = 4 * -(-self.config.max_width // SIDE) * SIDE * num_cells
        return 2 * max(num_bytes, KEPT_BYTES) if self.config.norm == "instance" else num_bytes

    @torch.no_grad()
    def assemble(
        self, condition: Condition, guide: Guide, fields: Fields, window: Window | None, scale: float
    ) -> Translation:
        """A window of the picture, by bands whose fields ``fields`` makes. See ``__call__``."""
        whole = covered(condition.size, scale=scale)
        window = window or whole
        if not whole.contains(window):
            raise InputError(f"the window {window} reaches beyond the image, which is {whole}")

        last = self.config.passes - 1
        made = (self.after_pass(last, guide, fields, band, scale) for band in self.bands(window, scale))
        return Translation(joined(made, window.height))

    @torch.no_grad()
    def after_pass(self, number: int, guide: Guide, fields: Fields, window: Window, scale: float) -> Tensor:
        """A window of the picture that one of the passes makes, of as much of the one before as is read for it.

        Args:
            number: of the pass, from 0.
            guide: of the condition, as far as all passes read around the window.
            fields: makes fields of all passes.
            window, scale: see ``__call__``.
        """
        part = guide.around(window, scale)
        if number:
            seen = Window(*part.origin, *part.size)
            part = self.generator.reread(part, self.after_pass(number - 1, guide, fields, seen, 1.0))
        image = render(fields(part, window, scale).of_pass(number), part, self.engine, window=window, scale=scale)
        if self.config.residual and part.image is not None:
            image = image + _input_at(part, window, scale)[:, : self.config.out_channels]
        return image

    def bands(self, window: Window, scale: float) -> Iterator[Window]:
        """The window from top to bottom, cut between cells where the parameters of all would take too much memory.

        Bands have about equally many rows of cells: so as few at a time as so many bands allow.
        """
        cell = self.config.cell * scale
        cells_across = window.width / cell + 2
        num_bytes = BAND_BYTES if self._on_cpu else PARAMETER_BYTES
        most_rows = max(1, int(num_bytes / (4 * self.config.num_parameters * cells_across)))
        # With bilinear parameters, other MLPs act from the cells' centres on.
        first = -cell / 2 if self.config.bilinear else 0.0
        first += cell * math.floor((window.top - first) / cell)
        num_rows = math.ceil((window.bottom - first) / cell)
        rows = math.ceil(num_rows / math.ceil(num_rows / most_rows))
        top = window.top
        while top < window.bottom:
            next_band = math.floor((top - first) / (rows * cell)) + 1
            bottom = min(max(math.ceil(first + next_band * rows * cell), top + 1), window.bottom)
            yield Window(top, window.left, bottom - top, window.width)
            top = bottom

    def field(
        self, condition: Condition, features: Tensor | None, guide: Guide, window: Window, scale: float
    ) -> PixelwiseField:
        """The field of those cells that act on the window; parameters of labels that the guide has not are 0."""
        if self._stream is None or features is None:
            field = self.generator.field(condition)
            return replace(field, parameters=field.parameters.to(self._dtype))
        needed = self.needed_by(guide)
        grid = (features.shape[-2], features.shape[-1])
        return self.field_in(partial(self._stream.parameters, features, needed), grid, window, scale)

    def field_in(
        self, parameters: Callable[[Cells], Tensor], grid: tuple[int, int], window: Window, scale: float
    ) -> PixelwiseField:
        """The field of those of the grid's cells that act on the window, given what makes the parameters of cells."""
        config = self.config
        cells = visible_cells(config.cell, config.bilinear, grid, window, scale)
        return PixelwiseField(
            parameters(cells), config.mlp, config.cell, config.bilinear, config.pixel_code, (cells[0], cells[1])
        )

    def needed_by(self, guide: Guide) -> Tensor | None:
        """Which of an MLP's parameters the guide's labels can select, P bool; None for all.

        On a GPU it is all of them: to wait for the answer would take longer than to compute them.
        """
        if guide.labels is None or not self._on_cpu:
            return None
        return self.needed(occurring(guide.labels, self.config.num_labels))

    def needed(self, occurring: Tensor) -> Tensor:
        """Which of an MLP's parameters can be selected by labels that occur: P bool, from one bool for each label."""
        config = self.config
        needed = torch.ones(config.passes, config.mlp.num_parameters, dtype=torch.bool)
        weight = config.mlp.layers(needed)[0][1]
        edges = config.instance_edges and config.edges_in_mlp
        num_planes = config.num_labels + config.image_channels + edges
        for first in range(0, num_planes * config.neighbourhood**2, num_planes):
            weight[:, first : first + config.num_labels][:, ~occurring] = False
        return needed.flatten()

    def _features(self, stream: FastStream | DenseStream, condition: Condition) -> Tensor:
        config, padded = self.config, self._in_whole_cells(condition)
        labels = labels_of(padded, config.num_labels) if config.num_labels else None
        return stream.features(labels, self.generator.other_planes(padded))

    def _frozen(self, stream: FastStream | DenseStream, condition: Condition) -> FastStream | DenseStream:
        definition = self.generator.stream
        assert isinstance(definition, LowResolutionStream)
        return stream.frozen(definition.reduction(self.generator.planes(self._in_whole_cells(condition))))

    def _in_whole_cells(self, condition: Condition) -> Condition:
        return condition.padded(self.config.cell, minimum=2 * self.config.cell)


def _check_dtype(dtype: torch.dtype, engine: str, on_cpu: bool) -> None:
    if dtype not in DTYPES:
        raise InputError(f"a model computes in float32, float16 or bfloat16, not in {dtype}")
    if dtype != torch.float32 and (on_cpu or engine == "reference"):
        reason = "a CPU is faster in float32" if on_cpu else "the engine 'reference' computes in float32"
        raise InputError(f"{dtype} cannot be used: {reason}")


def _input_at(guide: Guide, window: Window, scale: float) -> Tensor:
    """The picture that a guide holds, at the window's pixels."""
    assert guide.image is not None
    y, x = (
        (torch.arange(start, start + count, dtype=torch.float64) + 0.5) / scale - 0.5 - first
        for start, count, first in zip(
            (window.top, window.left), (window.height, window.width), guide.origin, strict=True
        )
    )
    return interpolated(guide.image, y, x)
