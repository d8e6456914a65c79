from __future__ import annotations

import numpy as np
import PIL
import torch

from pixelwise.machine import versions, versions_text


def test_what_computes_and_what_decodes_is_said() -> None:
    found = versions()
    assert (found["torch"], found["numpy"], found["pillow"]) == (torch.__version__, np.__version__, PIL.__version__)
    assert {"libjpeg_turbo", "jpg"} & found.keys()
    assert f"torch {torch.__version__}, " in versions_text(found)
