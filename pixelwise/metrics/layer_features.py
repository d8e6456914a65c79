"""Features of any network: what one of its layers makes of a picture, averaged over all places.

They tell sets of pictures apart without Inception's weights, by a network that was trained on such pictures: by one of
the project's own segmenters, say. Distances of such features are no FID and no KID, and must not be called so.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.errors import InputError

Run = Callable[[Tensor], object]
"""Shows pictures to a network; what it returns is dropped."""


class LayerFeatures:
    """From pictures to the means of a layer's channels.

    Of pix2pix's U-Net with N levels, ``network.up.<N - 1>.0`` is the narrowest place: what was found in the picture,
    and nothing yet of what is made of it.

    Args:
        network: whose layer it is; made ready by the caller (``eval``).
        layer: as ``named_modules`` calls it.
        run: how pictures are shown to it; otherwise they are the image of a condition.

    Raises:
        InputError: the network has no such layer.
    """

    def __init__(self, network: nn.Module, layer: str, run: Run | None = None) -> None:
        layers = dict(network.named_modules())
        if layer not in layers or not layer:
            raise InputError(f"{type(network).__name__} has no layer {layer!r}; the last ones are {list(layers)[-5:]}")
        self.layer, self._module = layer, layers[layer]
        self._run = run or (lambda pictures: network(Condition(image=pictures)))

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """B D, for D channels.

        Args:
            pictures: B C H W in [-1, 1].

        Raises:
            InputError: the layer did not make B D h w of them, in one go.
        """
        found: list[object] = []
        hook = self._module.register_forward_hook(lambda module, inputs, output: found.append(output))
        try:
            self._run(pictures)
        finally:
            hook.remove()
        outputs = [output for output in found if isinstance(output, Tensor) and output.dim() == 4]
        if len(found) != 1 or len(outputs) != 1 or len(outputs[0]) != len(pictures):
            raise InputError(f"layer {self.layer}: expected one output B D h w for {len(pictures)} pictures")
        return outputs[0].float().mean(dim=(2, 3))
