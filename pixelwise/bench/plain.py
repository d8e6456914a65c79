"""ASAP-Net as one would first write it, and as it was published: the side that every engine is measured against.

One-hot planes of the labels, planes of coordinates, tent filtering of all planes, convolutions one after the other in
torch's default layout, all pixels unfolded into cells at once, and one batched product for each layer of the MLPs. It
shares with the fast engines the weights and the meaning of parameter vectors, but none of their code.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.bench.laps import Lap, no_lap
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.labels import instance_edges
from pixelwise.lowres.reference import LowResolutionStream
from pixelwise.models.asapnet import AsapNet
from pixelwise.render import PixelwiseField
from pixelwise.render.field import code_periods


class PlainAsapNet:
    """The whole network, for inference.

    Args:
        generator: whose weights are taken, as a copy in the default layout.

    Raises:
        InputError: ``generator`` has no low-resolution stream, or several passes.
    """

    def __init__(self, generator: AsapNet) -> None:
        if not isinstance(generator.stream, LowResolutionStream):
            raise InputError("only networks with a low-resolution stream can be measured, this one has a constant MLP")
        if generator.config.passes > 1:
            raise InputError(f"only networks of one pass can be measured, this one has {generator.config.passes}")
        self.config = generator.config
        self.stream = copy.deepcopy(generator.stream).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.parameter_scale = generator.get_buffer("parameter_scale").clone()

    @torch.inference_mode()
    def __call__(self, condition: Condition, lap: Lap = no_lap) -> Tensor:
        """B O H W; calls ``lap`` between the low-resolution stream and the pixels."""
        padded = condition.padded(self.config.cell, minimum=2 * self.config.cell)
        planes = self._planes(padded)
        field = self._field(planes)
        lap()
        image = self._render(field, planes if padded is condition else self._planes(condition))
        return image + condition.image if self.config.residual and condition.image is not None else image

    @torch.inference_mode()
    def field(self, condition: Condition) -> PixelwiseField:
        """What the low-resolution stream predicts."""
        return self._field(self._planes(condition.padded(self.config.cell, minimum=2 * self.config.cell)))

    def _planes(self, condition: Condition) -> Tensor:
        """B C H W: one-hot labels, image, edges of instances."""
        config = self.config
        planes = []
        if config.num_labels and condition.labels is not None:
            labels = condition.labels.long().unsqueeze(1)
            planes.append(self._zeros(len(labels), config.num_labels, *condition.size).scatter_(1, labels, 1.0))
        if config.image_channels and condition.image is not None:
            planes.append(condition.image)
        if config.instance_edges and condition.instances is not None:
            planes.append(instance_edges(condition.instances))
        return torch.cat(planes, dim=1)

    def _field(self, planes: Tensor) -> PixelwiseField:
        config, stream = self.config, self.stream
        x = stream.front(_reduce(F.pixel_unshuffle(planes, config.unshuffle), config.stream.reduction))
        parameters = stream.to_parameters(stream.blocks(stream.strided(x))) * self.parameter_scale
        return PixelwiseField(parameters, config.mlp, config.cell, config.bilinear, config.pixel_code)

    def _render(self, field: PixelwiseField, planes: Tensor) -> Tensor:
        config = self.config
        size = planes.shape[-2:]
        if config.instance_edges and not config.edges_in_mlp:
            planes = planes[:, :-1]
        planes = _with_neighbours(planes, config.neighbourhood)
        if config.pixel_code:
            planes = torch.cat([planes, self._coordinate_planes(*size).expand(len(planes), -1, -1, -1)], dim=1)
        image = _evaluate_between_centres(field, planes) if field.bilinear else _evaluate_in_cells(field, planes)
        return torch.tanh(image) if config.tanh else image

    def _coordinate_planes(self, height: int, width: int) -> Tensor:
        """1 C H W: for each period of the pixel code cos x, sin x, cos y, sin y (Sec. 3.3)."""
        device = self.parameter_scale.device
        y, x = (torch.arange(side, device=device, dtype=torch.float32) for side in (height, width))
        planes = []
        for period in code_periods(self.config.cell):
            across, down = (2 * torch.pi * (axis.remainder(period) / period) for axis in (x, y))
            planes += [across.cos().expand(height, -1), across.sin().expand(height, -1)]
            planes += [down.cos()[:, None].expand(-1, width), down.sin()[:, None].expand(-1, width)]
        return torch.stack(planes)[None] if planes else self._zeros(1, 0, height, width)

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(*shape, device=self.parameter_scale.device)


def _reduce(planes: Tensor, stride: int) -> Tensor:
    """All planes through a tent filter, one axis after the other, and sampled: B C H W to B C H/stride W/stride."""
    if stride == 1:
        return planes
    rising = torch.arange(1, 2 * stride, 2, device=planes.device, dtype=planes.dtype)
    taps = torch.cat([rising, rising.flip(0)]) / (2 * stride**2)
    channels = planes.shape[1]
    planes = F.pad(planes, (stride // 2,) * 4, mode="reflect")
    planes = F.conv2d(planes, taps.expand(channels, 1, 1, -1), stride=(1, stride), groups=channels)
    return F.conv2d(planes, taps[:, None].expand(channels, 1, -1, 1), stride=(stride, 1), groups=channels)


def _with_neighbours(planes: Tensor, neighbourhood: int) -> Tensor:
    """B C H W to B kkC H W: beside each other the planes as they are seen from each place of the neighbourhood."""
    if neighbourhood == 1:
        return planes
    height, width = planes.shape[-2:]
    around = F.pad(planes, (neighbourhood // 2,) * 4, mode="replicate")
    steps = range(neighbourhood)
    return torch.cat([around[:, :, dy : dy + height, dx : dx + width] for dy in steps for dx in steps], dim=1)


def _evaluate_in_cells(field: PixelwiseField, planes: Tensor) -> Tensor:
    """B I H W to B O H W: all pixels of all cells, each cell's by its own MLP."""
    grid = field.parameters.shape[-2:]
    x = _unfold(planes, field.cell, 0, grid)
    layers = field.mlp.layers(field.parameters.movedim(1, -1).flatten(0, 2).contiguous())
    for index, (bias, weight) in enumerate(layers):
        x = torch.baddbmm(bias.unsqueeze(1), x, weight)
        if index < len(layers) - 1:
            x = F.leaky_relu(x, field.mlp.negative_slope)
    return _fold(x, field.cell, 0, grid, planes)


def _evaluate_between_centres(field: PixelwiseField, planes: Tensor) -> Tensor:
    """The same with bilinear parameters: on the squares between four cells' centres four MLPs act, in shares that
    depend on the pixel, so that each layer is one product of four times as many weighted inputs."""
    side = field.cell
    corners = F.pad(field.parameters, (1, 1, 1, 1), mode="replicate").unfold(2, 2, 1).unfold(3, 2, 1)
    grid = corners.shape[2:4]
    # A centre lies at (side - 1) / 2, so the first square begins so many pixels before the image.
    lead = side - side // 2
    after = (torch.arange(side, device=planes.device) + side // 2 - (side - 1) / 2) / side
    along = torch.stack([1 - after, after], dim=1)
    shares = torch.einsum("yi,xj->yxij", along, along).reshape(side * side, 4)
    x = _unfold(planes, side, lead, grid)
    layers = field.mlp.layers(corners.flatten(4).permute(0, 2, 3, 4, 1).flatten(0, 2).contiguous())
    for index, (biases, weights) in enumerate(layers):
        weighted = x.unsqueeze(2) * shares.unsqueeze(-1)
        x = torch.baddbmm(shares @ biases, weighted.flatten(2), weights.flatten(1, 2))
        if index < len(layers) - 1:
            x = F.leaky_relu(x, field.mlp.negative_slope)
    return _fold(x, side, lead, grid, planes)


def _unfold(planes: Tensor, side: int, lead: int, grid: torch.Size) -> Tensor:
    """B I H W to n N I, n squares of N pixels: those of ``grid``, which begins ``lead`` pixels before the image."""
    (rows, columns), (height, width) = grid, planes.shape[-2:]
    beyond = (lead, columns * side - lead - width, lead, rows * side - lead - height)
    planes = F.pad(planes, beyond) if any(beyond) else planes
    cells = planes.reshape(*planes.shape[:2], rows, side, columns, side)
    return cells.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(0, 2)


def _fold(x: Tensor, side: int, lead: int, grid: torch.Size, planes: Tensor) -> Tensor:
    """The inverse of ``_unfold``: n N O to B O H W of the size of ``planes``."""
    (rows, columns), (height, width) = grid, planes.shape[-2:]
    cells = x.reshape(len(planes), rows, columns, side, side, -1).permute(0, 5, 1, 3, 2, 4)
    image = cells.reshape(len(planes), -1, rows * side, columns * side)
    return image[:, :, lead : lead + height, lead : lead + width]
