"""How good a model is, by a protocol that leaves nothing open."""

from pixelwise.evaluation.protocol import PROTOCOLS, Protocol, protocol_named
from pixelwise.evaluation.scores import Evaluation, evaluate, score
from pixelwise.evaluation.table import markdown

__all__ = ["PROTOCOLS", "Evaluation", "Protocol", "evaluate", "markdown", "protocol_named", "score"]
