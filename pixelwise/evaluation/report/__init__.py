"""What people see of an evaluation: tables, plots and pictures, made of nothing but its JSON."""

from pixelwise.evaluation.report.results import ModelResults, Results, Timing, read_results, together
from pixelwise.evaluation.report.writing import check_installed, write_plots, write_report

__all__ = [
    "ModelResults",
    "Results",
    "Timing",
    "check_installed",
    "read_results",
    "together",
    "write_plots",
    "write_report",
]
