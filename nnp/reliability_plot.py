"""The picture of a calibration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnp.calibration import Reliability

TITLES = {"energy": "energy per atom", "forces": "force components"}


def plot_reliability(report: Mapping[str, Reliability], path: Path) -> None:
    """Observed against wanted coverage of the mean's intervals, before and after calibration."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 4.3), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, title) in zip(figure.subplots(1, 2), TITLES.items()):
        if name not in report:
            continue
        r = report[name]
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
        axes.plot(r.levels, r.before, color="tab:orange", label=f"as it is, area {r.area(r.before):.3f}")
        axes.plot(r.levels, r.after, color="tab:blue", label=f"calibrated, area {r.area(r.after):.3f}")
        axes.set(xlabel="wanted coverage", ylabel="observed coverage", title=title, aspect="equal")
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
