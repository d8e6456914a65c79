"""Which of several models' pictures do people prefer? A two-alternative forced choice, from folders to figures.

``preparation.prepare`` makes a study of folders, ``server.serve`` asks raters, ``analyse`` says what they answered. The
first two are imported from where they are: one reads pictures as data sets do and brings torch, the other needs the
extra ``serve``.
"""

from pixelwise.study.analysis import Preference, Report, analyse
from pixelwise.study.design import Picture, Rules, Scene, Study
from pixelwise.study.raters import Answer, Rater
from pixelwise.study.store import Store
from pixelwise.study.table import markdown, to_csv
from pixelwise.study.trials import Trial, trials_of

__all__ = [
    "Answer",
    "Picture",
    "Preference",
    "Rater",
    "Report",
    "Rules",
    "Scene",
    "Store",
    "Study",
    "Trial",
    "analyse",
    "markdown",
    "to_csv",
    "trials_of",
]
