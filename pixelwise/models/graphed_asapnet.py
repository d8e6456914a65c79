"""Whole pictures of an ASAP-Net on a GPU, each the replay of a CUDA graph.

A picture is some hundred short kernels, which a host takes longer to launch than a large GPU to run. So what depends on
sizes alone is worked out beforehand; what is left is a function of tensors that neither waits for the device nor copies
to it, and can be captured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.labels import check_indices
from pixelwise.layers.graphed_call import Capture, GraphedCall, capture_on_gpu
from pixelwise.lowres.dense import DenseStream
from pixelwise.models.asapnet import AsapNet
from pixelwise.render import PixelwiseField
from pixelwise.render.axis import Axis, axis
from pixelwise.render.engine import choose_for
from pixelwise.render.gpu import prepare_gpu
from pixelwise.render.guide import Features

PARAMETER_BYTES = 1 << 30
"""Pictures whose parameters could take more are rendered band by band: they are so large that launches don't count."""

MOST_PIXELS = 2**31 - 1
"""Of a picture: the engine counts them in 31 bits."""

PrepareRendering = Callable[[PixelwiseField, Features, Axis, Axis, torch.device], Callable[[Tensor, Features], Tensor]]
"""As ``pixelwise.render.gpu.prepare_gpu``."""


class GraphedAsapNet:
    """An ASAP-Net for whole pictures. A size that comes again is captured, see ``GraphedCall``.

    Args:
        generator: the trained network, in eval mode; ``can_graph`` says whether it will do.
        stream: its low-resolution stream.
        capture: see ``GraphedCall``.
        rendering: by which engine.

    Attributes:
        prepare: from the ``parts`` of a condition to what makes pictures of conditions of that size.
    """

    def __init__(
        self,
        generator: AsapNet,
        stream: DenseStream,
        capture: Capture = capture_on_gpu,
        rendering: PrepareRendering = prepare_gpu,
    ) -> None:
        config = generator.config
        is_read = {"labels": config.num_labels, "instances": config.instance_edges, "image": config.image_channels}
        names = [name for name, read in is_read.items() if read]

        def prepare(*parts: Tensor) -> PictureFunction:
            return PictureFunction(generator, stream, names, parts, rendering)

        self.prepare = prepare
        self._config, self._names = config, names
        self._call = GraphedCall(prepare, capture)

    def __call__(self, condition: Condition) -> Tensor:
        """B O H W. Raises InputError for an image of other channels, for labels beyond the classes, or no indices."""
        image, *label_range = self._call(*self.parts(condition))
        num_labels = self._config.num_labels
        # Only now: to ask before would leave the device idle meanwhile.
        for low, high in (ends.tolist() for ends in label_range):
            if low < 0 or high >= num_labels:
                raise InputError(f"labels run from {low} to {high}, expected 0..{num_labels - 1}")
        return image

    def takes(self, condition: Condition) -> bool:
        """Whether all that is read is there, and not too much of it."""
        config = self._config
        num_cells = len(condition) * math.prod(-(-side // config.cell) for side in condition.size)
        fits = 4 * num_cells * config.mlp.num_parameters <= PARAMETER_BYTES and math.prod(condition.size) <= MOST_PIXELS
        return fits and set(self._names) <= set(condition.planes())

    def parts(self, condition: Condition) -> list[Tensor]:
        """What is read of the condition, in order. Raises InputError for labels that are no class indices."""
        planes = condition.planes()
        if "labels" in self._names:
            check_indices(planes["labels"])
        return [planes[name] for name in self._names]


class PictureFunction:
    """An ASAP-Net as a function of tensors of one size: the parts of a condition.

    Args:
        generator, stream: the network.
        names: of the parts, in order.
        parts: such tensors; their values are not read.
        rendering: by which engine.
    """

    def __init__(
        self,
        generator: AsapNet,
        stream: DenseStream,
        names: Sequence[str],
        parts: Sequence[Tensor],
        rendering: PrepareRendering,
    ) -> None:
        self._generator, self._stream, self._names = generator, stream, names
        config, condition = generator.config, self._condition(parts)
        grid = (max(2, -(-side // config.cell)) for side in condition.size)
        parameters = torch.empty(len(condition), config.mlp.num_parameters, *grid, device="meta")
        field = PixelwiseField(parameters, config.mlp, config.cell, config.bilinear, config.pixel_code)
        self._rows, self._columns = (axis(field, 0, side, 1.0, dim) for dim, side in enumerate(condition.size))
        self._render = rendering(field, self._features(condition), self._rows, self._columns, condition.device)

    def __call__(self, *parts: Tensor) -> tuple[Tensor, ...]:
        """The picture, B O H W, and where labels are read the least and the largest of them, 2."""
        image = self.pixels(self.parameters(*parts), *parts)
        ranges = [torch.stack(torch.aminmax(part)) for name, part in self._parts(parts) if name == "labels"]
        return image, *ranges

    def parameters(self, *parts: Tensor) -> Tensor:
        """The low-resolution stream: B P h w."""
        config, condition = self._generator.config, self._condition(parts)
        padded = condition.padded(config.cell, minimum=2 * config.cell)
        planes = self._generator.other_planes(padded)
        return self._stream.parameters(self._stream.features(padded.labels, planes))

    def pixels(self, parameters: Tensor, *parts: Tensor) -> Tensor:
        """The pixelwise stream: B O H W."""
        condition = self._condition(parts)
        image = self._render(parameters, self._features(condition))
        return image + condition.image if self._generator.config.residual and condition.image is not None else image

    def _features(self, condition: Condition) -> Features:
        return self._generator.guide(condition).at(self._rows, self._columns)

    def _condition(self, parts: Sequence[Tensor]) -> Condition:
        """Labels as bytes, which are read faster, and in range, so that no engine reads beyond its rows."""
        most = self._generator.config.num_labels - 1
        return Condition(
            **{name: part.clamp(0, most).byte() if name == "labels" else part for name, part in self._parts(parts)}
        )

    def _parts(self, parts: Sequence[Tensor]) -> list[tuple[str, Tensor]]:
        return list(zip(self._names, parts, strict=True))


def can_graph(generator: AsapNet, dtype: torch.dtype) -> bool:
    """Whether a network's pictures can be captured where it is, its parameters being of ``dtype``.

    The engine must be "gpu"; and pixels must read themselves only, once: their neighbours' indices are made on
    the host.
    """
    config, weight = generator.config, next(generator.parameters())
    if weight.device.type != "cuda" or max(config.neighbourhood, config.passes) > 1:
        return False
    return choose_for("auto", config.mlp, dtype, weight.device) == "gpu"
