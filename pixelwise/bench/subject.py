"""The networks that are measured: the paper's full size with random weights, or one from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from pixelwise.checkpoint import BUNDLED, load_checkpoint, read_manifest, resolve
from pixelwise.lowres.reference import LowResolutionStream
from pixelwise.models.asapnet import CHEAPER_STREAMS, FAMILY, AsapNet, AsapNetConfig

Size = tuple[int, int]
"""(height, width) in pixels."""

FULL_SIZE = "full-size"
"""Names the paper's network in the place of a file."""

RANDOM: Mapping[str, Mapping[str, int | bool]] = {
    FULL_SIZE: {},
    **{f"{FULL_SIZE}-{name}": change for name, change in CHEAPER_STREAMS.items()},
}
"""Networks of random weights, by what makes them differ from the paper's."""


def bundled_of_labels() -> tuple[str, ...]:
    """The names of the bundled models that make photos of label maps."""
    paths = sorted(BUNDLED.glob("*.safetensors"))
    return tuple(path.stem for path in paths if read_manifest(path).spec.labels is not None)


def build(model: str, size: Size, cell: int = 0) -> AsapNet:
    """The network that ``model`` means for pictures of ``size``, in eval mode on the CPU.

    Args:
        model: a name of ``RANDOM``, a bundled name or a .safetensors file.
        size: a published ASAP-Net has sixteen cells along the short side, whatever the size of its pictures, or a few
            more where no such cell exists; a network from a file stays as it was trained.
        cell: of a random network's cells in pixels, in the place of that; 0 for that.

    Raises:
        InputError: no such file, or not an ASAP-Net.
    """
    if model in RANDOM:
        return random_network(replace(full_size(cell or cell_for(size)), **RANDOM[model]))  # type: ignore[arg-type]
    generator = load_checkpoint(resolve(model), family=FAMILY.name).generator
    assert isinstance(generator, AsapNet)
    return generator


def cell_for(size: Size) -> int:
    """A sixteenth of the short side, or the next smaller side that a cell can have: a power of two up to 16, then
    multiples of 32."""
    cell = max(1, min(size) // 16)
    return cell // 32 * 32 if cell >= 32 else 1 << cell.bit_length() - 1


def full_size(cell: int) -> AsapNetConfig:
    """Cityscapes as published: 35 labels for stream and MLPs, edges of instances for the stream."""
    return AsapNetConfig(num_labels=35, instance_edges=True, out_channels=3, cell=cell)


@torch.no_grad()
def random_network(config: AsapNetConfig, seed: int = 0) -> AsapNet:
    """A network of random weights, the same ones at every call, whose pictures are neither flat nor saturated.

    Fresh weights would not do: the MLPs that they predict differ so much from cell to cell that tanh saturates, and
    hides how far an engine is off.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AsapNet(config)
        if isinstance(network.stream, LowResolutionStream):
            _predict_moderate_parameters(network.stream, config)
    return network.eval()


def _predict_moderate_parameters(stream: LowResolutionStream, config: AsapNetConfig) -> None:
    """Half of the variance of the MLPs' weights, 1 over their inputs, is the same for all cells, half is predicted."""
    layer = stream.to_parameters
    assert layer.bias is not None
    layer.bias *= 0.5**0.5
    # After instance norm and ReLU the mean square of a channel is 1/2.
    layer.weight.normal_(std=(2 / config.max_width) ** 0.5)
    for bias, weight in config.mlp.layers(layer.weight.flatten(1).T):
        bias *= 0.1
        weight *= weight.shape[-2] ** -0.5
