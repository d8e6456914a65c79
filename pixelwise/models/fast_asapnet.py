"""A trained ASAP-Net made ready for inference: the same pictures, several times as fast, whole or in part.

Weights are folded and packed once. The low-resolution stream reads labels instead of one-hot planes; only the
parameters of labels that are there, and of cells that are in view, are computed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.semantics import labels_of
from pixelwise.lowres.dense import DenseStream
from pixelwise.lowres.kept_rows import in_files, meanwhile
from pixelwise.lowres.reference import LowResolutionStream
from pixelwise.lowres.stream import FastStream, unfit
from pixelwise.lowres.streamed import KEPT_BYTES
from pixelwise.lowres.winograd import PANEL
from pixelwise.models.asapnet import AsapNet
from pixelwise.models.banded_asapnet import BandedAsapNet, Fields
from pixelwise.models.edited_asapnet import EditedAsapNet
from pixelwise.models.family import Editing, Translation
from pixelwise.models.graphed_asapnet import GraphedAsapNet, can_graph
from pixelwise.models.streamed_asapnet import ReadRows, StreamedAsapNet
from pixelwise.native import library
from pixelwise.render import Guide, PixelwiseField, Window
from pixelwise.render.bands import joined
from pixelwise.render.engine import choose_for
from pixelwise.render.window import check_scale, covered

WHOLE_BYTES = 32 << 20
"""As much as the stream's input planes may take; see ``_is_large``."""

FEATURE_BYTES = 32 << 20
"""As much as the stream's features may take in memory while a large picture is rendered of them."""

DTYPES = (torch.float32, torch.float16, torch.bfloat16)


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
        does_errands: whether its pixels are made by compiled kernels.
        graphed: makes whole pictures by CUDA graphs; None where that cannot be.

    Raises:
        InputError: an unknown engine, or one that cannot run here, with this network or in ``dtype``.
    """

    def __init__(self, generator: AsapNet, engine: str = "auto", dtype: torch.dtype = torch.float32) -> None:
        device = next(generator.parameters()).device
        self._on_cpu = device.type == "cpu"
        _check_dtype(dtype, engine, self._on_cpu)
        self.does_errands = choose_for(engine, generator.config.mlp, dtype, device) == "native"
        self.generator = generator
        self.config = generator.config
        self.size_multiple = generator.size_multiple
        self.engine = engine
        self._dtype = dtype
        self._pictures = BandedAsapNet(generator, engine)
        self._unpacked = self._why_unpacked()
        self._stream = None if self._unpacked else self._packed_stream()
        self.graphed: GraphedAsapNet | None = None
        if isinstance(self._stream, DenseStream) and engine in ("auto", "gpu") and can_graph(generator, dtype):
            self.graphed = GraphedAsapNet(generator, self._stream)

    def _why_unpacked(self) -> str | None:
        """Why the low-resolution stream is not packed, so that nothing of it is kept; None if it is."""
        stream = self.generator.stream
        if not isinstance(stream, LowResolutionStream):
            return "a model with one MLP for all cells has no low-resolution stream"
        if self.engine == "reference":
            return "the engine 'reference' computes all of the network anew"
        return unfit(stream, self.config.num_labels)

    def _packed_stream(self) -> FastStream | DenseStream:
        stream, num_labels = self._definition, self.config.num_labels
        scale = self.generator.get_buffer("parameter_scale")
        if not self._on_cpu:
            return DenseStream(stream, num_labels, scale, self._dtype)
        return FastStream(stream, num_labels, scale, self.engine in ("auto", "native") and library.missing() is None)

    @property
    def _definition(self) -> LowResolutionStream:
        stream = self.generator.stream
        assert isinstance(stream, LowResolutionStream)
        return stream

    @torch.no_grad()
    def __call__(self, condition: Condition, window: Window | None = None, scale: float = 1.0) -> Translation:
        """What the generator makes of ``condition``, or a part of it.

        A whole picture that is large has its low-resolution stream by rows. Layers that would take much of the memory
        lie in a temporary folder then, see ``kept_rows.meanwhile``.

        Args:
            condition: B H W of any size.
            window: the part wanted, in pixels of the output; None for all.
            scale: pixels of the output per pixel of the condition.

        Raises:
            InputError: see ``render``, and ``semantic_planes`` for what may be wrong with the condition; or there is no
                room for a large picture's layers.
        """
        if window is None and scale == 1:
            if self.graphed is not None and self.graphed.takes(condition):
                return Translation(self.graphed(condition))
            if isinstance(self._stream, FastStream) and len(condition) == 1 and self._is_large(condition.size):
                return Translation(self._streamed(self._stream, condition))
        return self._pictures(*self.guide_and_fields(condition), window, scale)

    @torch.no_grad()
    def guide_and_fields(self, condition: Condition) -> tuple[Guide, Fields]:
        """The condition's guide, and what makes the fields of its cells. The low-resolution stream runs now, all of it
        but its last layer; parameters of labels that a guide has not are 0 then. A stream that is not packed runs to
        the end. Raises InputError as ``__call__``."""
        condition = self._pictures.compact(condition)
        return self._pictures.guide(condition), self._fields(condition)

    def _fields(self, condition: Condition) -> Fields:
        if self._stream is None:
            field = self.generator.field(condition)
            whole = replace(field, parameters=field.parameters.to(self._dtype))
            return lambda guide, window, scale: whole
        features, layer = self._features(self._stream, condition), self._stream.parameters
        grid = (features.shape[-2], features.shape[-1])

        def in_view(guide: Guide, window: Window, scale: float) -> PixelwiseField:
            parameters = partial(layer, features, self._pictures.needed_by(guide))
            return self._pictures.field(parameters, grid, window, scale)

        return in_view

    @torch.no_grad()
    def edit(self, condition: Condition, approximate: bool = False) -> Editing:
        """See ``WindowGenerator.edit``.

        Raises:
            InputError: as ``__call__``; more than one condition; or there is nothing to keep, since the low-resolution
                stream is not packed.
        """
        if self._stream is None:
            raise InputError(f"no editing sessions, since nothing could be kept: {self._unpacked}")
        stream, has_statistics = self._stream, self.config.norm == "instance"
        if approximate and has_statistics:
            stream = self._frozen(stream, condition)
        features = partial(self._features, stream)
        return EditedAsapNet(self._pictures, condition, features, stream.parameters, approximate or not has_statistics)

    @property
    def has_rows(self) -> bool:
        """Not where the low-resolution stream is not packed, and not on a GPU."""
        return isinstance(self._stream, FastStream)

    def check_scale(self, scale: float) -> None:
        check_scale(scale)

    def by_rows(
        self,
        size: tuple[int, int],
        read: ReadRows,
        scratch: Path,
        window: Window | None = None,
        scale: float = 1.0,
    ) -> Iterator[Tensor]:
        """See ``WindowGenerator.by_rows``. Raises InputError unless the low-resolution stream is packed, on the CPU."""
        if not isinstance(self._stream, FastStream):
            reason = self._unpacked or "the model is on a GPU, and rows go through the CPU's stream only"
            raise InputError(f"no picture by rows: {reason}")
        streamed = StreamedAsapNet(self._pictures, self._stream, size, read, in_files(scratch))
        return streamed.bands(window or covered(size, scale=scale), scale)

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

        size, num_bytes = condition.size, self._feature_bytes(condition.size)
        # Layers are gone when the picture takes memory; of the features there should be little beside it.
        all_bytes = self.scratch_bytes(size) + num_bytes  # on the disk both must fit together
        with meanwhile(all_bytes) as keep, meanwhile(num_bytes, FEATURE_BYTES) as keep_features:
            streamed = StreamedAsapNet(self._pictures, stream, size, read, keep, keep_features)
            return joined(streamed.bands(covered(size)), size[0])

    def scratch_bytes(self, size: tuple[int, int]) -> int:
        num_bytes = self._feature_bytes(size)
        return 2 * max(num_bytes, KEPT_BYTES) if self.config.norm == "instance" else num_bytes

    def _feature_bytes(self, size: tuple[int, int]) -> int:
        """Of what the low-resolution stream makes but for its last layer."""
        num_cells = math.prod(-(-side // self.config.cell) for side in size)
        return 4 * -(-self.config.max_width // PANEL) * PANEL * num_cells

    def _features(self, stream: FastStream | DenseStream, condition: Condition) -> Tensor:
        """What the low-resolution stream makes of the condition, B C h w: all of it but its last layer."""
        config, padded = self.config, self._in_whole_cells(condition)
        labels = labels_of(padded, config.num_labels) if config.num_labels else None
        return stream.features(labels, self._pictures.other_planes(padded))

    def _frozen(self, stream: FastStream | DenseStream, condition: Condition) -> FastStream | DenseStream:
        return stream.frozen(self._definition.reduction(self.generator.planes(self._in_whole_cells(condition))))

    def _in_whole_cells(self, condition: Condition) -> Condition:
        return condition.padded(self.config.cell, minimum=2 * self.config.cell)


def _check_dtype(dtype: torch.dtype, engine: str, on_cpu: bool) -> None:
    if dtype not in DTYPES:
        raise InputError(f"a model computes in float32, float16 or bfloat16, not in {dtype}")
    if dtype != torch.float32 and (on_cpu or engine == "reference"):
        reason = "a CPU is faster in float32" if on_cpu else "the engine 'reference' computes in float32"
        raise InputError(f"{dtype} cannot be used: {reason}")
