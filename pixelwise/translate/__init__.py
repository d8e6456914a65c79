"""From files, pictures, arrays and tensors through one generator to pictures."""

from pixelwise.translate.translator import Translator, load

__all__ = ["Translator", "load"]
