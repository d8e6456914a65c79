"""How good a model is, by a protocol that leaves nothing open."""

from pixelwise.evaluation.comparison import Comparison
from pixelwise.evaluation.examination import Examination, prepare
from pixelwise.evaluation.own_data import protocol_for
from pixelwise.evaluation.protocol import Protocol
from pixelwise.evaluation.protocols import PROTOCOLS, protocol_named
from pixelwise.evaluation.scores import Evaluation, evaluate, score, score_targets
from pixelwise.evaluation.setting import Setting
from pixelwise.evaluation.table import markdown

__all__ = [
    "PROTOCOLS",
    "Comparison",
    "Evaluation",
    "Examination",
    "Protocol",
    "Setting",
    "evaluate",
    "markdown",
    "prepare",
    "protocol_for",
    "protocol_named",
    "score",
    "score_targets",
]
