"""Pictures of how errors fall with core, blend and mesh, drawn from what the benchmarks wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib.figure import Figure

from generate.claims import load

_STYLE: dict[str, Any] = {"font.size": 11, "axes.grid": True, "grid.alpha": 0.3, "savefig.dpi": 110}
_COLOURS = {"bgfc": "#1f6feb", "bqce": "#d9730d", "bqcf": "#2da44e", "sharp": "#8b949e"}


def draw(folder: Path) -> None:
    """convergence.png, ghost_force.png, cost.png."""
    with matplotlib.rc_context(_STYLE):
        for name, make in (("convergence", _convergence), ("ghost_force", _ghost_force), ("cost", _cost)):
            figure = Figure(figsize=(9.0, 4.0) if name == "convergence" else (5.2, 4.0), layout="constrained")
            make(figure)
            # without the version of matplotlib, equal pictures are equal files
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})


def _convergence(figure: Figure) -> None:
    """Error against the radius of core and blend, in lattice spacings."""
    runs = load("blending_2d")["runs"]
    axes = figure.subplots(1, 2, sharey=True)
    for axis, case, title in zip(axes, "AB", ("a vacancy", "a micro-crack, nine vacancies")):
        for scheme, degree, marker in (("bqce", 1, "o-"), ("bgfc", 1, "o-"), ("bgfc", 2, "s--")):
            points = sorted(
                (r["layout"]["core"], r["strain_error"])
                for r in runs
                if (r["case"], r["scheme"], r["layout"]["degree"]) == (case, scheme, degree)
                and r["layout"]["mask"] == "cubic"
            )
            label = f"{scheme}, {'linear' if degree == 1 else 'quadratic'} elements"
            axis.loglog(*zip(*points), marker, color=_COLOURS[scheme], label=label)
        axis.set_title(title)
        axis.set_xlabel("layers of the core, and as many of the blend")
        ticks = [4, 6, 8, 11, 16, 22, 30]
        axis.set_xticks(ticks, [str(t) for t in ticks])
        axis.minorticks_off()
    axes[0].set_ylabel("relative error of the strain")
    axes[0].legend(loc="lower left", fontsize=9)
    axes[0].set_ylim(1e-4, None)


def _ghost_force(figure: Figure) -> None:
    """Largest force in the perfect crystal against the width of the blend."""
    rows = load("blending_2d")["ghost_forces"]
    axis = figure.subplots()
    for scheme in ("sharp", "bqce"):
        axis.loglog(
            [r["width"] for r in rows],
            [r[scheme] for r in rows],
            "o-",
            color=_COLOURS[scheme],
            label=scheme if scheme == "bqce" else "sharp (a mask that jumps)",
        )
    ticks = [r["width"] for r in rows]
    axis.set_xticks(ticks, [str(t) for t in ticks])
    axis.minorticks_off()
    axis.set_xlabel("width of the blend, lattice spacings")
    axis.set_ylabel("largest ghost force")
    axis.legend()


def _cost(figure: Figure) -> None:
    """Error at a crack tip in silicon against the site energies that a force evaluation takes."""
    disc = load("efficiency")["discs"][0]
    axis = figure.subplots()
    for run in disc["coupled"]:
        share = run["evaluated_sites"] / disc["atomistic"]["evaluated_sites"]
        axis.loglog(100 * share, 100 * run["error"], "o", color=_COLOURS["bgfc"])
        axis.annotate(
            f"{run['core']:g} + {run['blend']:g} nm",
            (100 * share, 100 * run["error"]),
            xytext=(6, 4),
            textcoords="offset points",
        )
    axis.set_xlim(2, 15)
    axis.set_ylim(0.1, 30)
    axis.set_xticks([2, 5, 10], ["2", "5", "10"])
    axis.minorticks_off()
    axis.set_xlabel("site energies, % of the fully atomistic run")
    axis.set_ylabel("error within 1 nm of the tip, %")
