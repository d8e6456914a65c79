import torch
from torch import Tensor


def patches(size: tuple[int, int, int], num_labels: int, side: int) -> Tensor:
    """Random labels B H W in squares: like real maps, they have areas."""
    batch, height, width = size
    coarse = torch.randint(num_labels, (batch, height // side + 1, width // side + 1))
    return coarse.repeat_interleave(side, 1).repeat_interleave(side, 2)[:, :height, :width].contiguous()
