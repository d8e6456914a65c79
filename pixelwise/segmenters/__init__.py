"""Who reads classes out of pictures, to say how well a model has shown what its label map asked for.

Published networks (drn.py), models of ours (trained.py), and any network in a file that runs by itself (exported.py).
"""

from pixelwise.segmenters.choice import segmenter_named
from pixelwise.segmenters.segmenter import InputScale, Segmenter

__all__ = ["InputScale", "Segmenter", "segmenter_named"]
