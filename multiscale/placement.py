"""Where the core of atoms lies: as the case says at first, elsewhere once it has been moved or enlarged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coupling.regions import SHAPES, Mask, Shape
from multiscale.config import Case, InputError, core_center
from nnp.crystal import Crystal
from nnp.potential import Potential

Array = np.ndarray


@dataclass(frozen=True)
class Placement:
    """centre: (d,) of the core, Å; extent: (1,) radius of a disc or ball, (d,) edge lengths of a box, Å; tip: where
    the faces of the crack end in the mesh and in the reference of the scheme, Å, None without a crack."""

    centre: tuple[float, ...]
    extent: tuple[float, ...]
    tip: tuple[float, float] | None

    @classmethod
    def of(cls, case: Case) -> Placement:
        """As the case says."""
        assert case.regions is not None
        core, crack = case.regions.core, case.geometry.crack
        extent = core.size if core.radius is None else (core.radius,)
        assert extent is not None
        tip = None if crack is None else crack.tip
        return cls(tuple(core_center(case.regions, case.geometry)), tuple(extent), tip)

    def shape(self, kind: str) -> Shape:
        """kind: of SHAPES."""
        return SHAPES[kind](self.centre, self.extent if kind == "box" else self.extent[0])

    def mask(self, case: Case) -> Mask:
        assert case.regions is not None
        placement = self.mirrored() if case.geometry.shape == "block" else self
        return Mask(placement.shape(case.regions.core.shape), case.regions.blend, case.coupling.mask)

    def mirrored(self) -> Placement:
        """A box with its mirror image at the surface y = 0, which is no rim of the core; a disc or ball as it is."""
        if len(self.extent) == 1:
            return self
        low, (x, _, *z) = self.centre[1] - 0.5 * self.extent[1], self.centre
        return Placement((x, 0.0, *z), (self.extent[0], -2.0 * low, *self.extent[2:]), self.tip)

    def shifted(self, along_x: float) -> Placement:
        """Core and tip moved along the crack, Å."""
        x, *rest = self.centre
        tip = None if self.tip is None else (self.tip[0] + along_x, self.tip[1])
        return Placement((x + along_x, *rest), self.extent, tip)

    def grown(self, kind: str, points: Array, by: float, least: float, most: float) -> Placement:
        """So much larger that points (n, d) lie no farther than `by` beyond the core, on every side that has one
        farther; at least by `least`, at most by `most` on a side, all Å. A disc or ball grows about its centre, a
        box on the sides that need it."""
        if kind != "box":
            need = float(self.shape(kind).distance(points).max()) - by
            return replace(self, extent=(self.extent[0] + float(np.clip(need, least, most)),))
        centre, half = np.array(self.centre), 0.5 * np.array(self.extent)
        d = len(centre)
        low = (centre - half - by - points[:, :d]).max(axis=0)
        high = (points[:, :d] - centre - half - by).max(axis=0)
        low, high = (np.where(need > 0.0, np.clip(need, least, most), 0.0) for need in (low, high))
        if not (low.any() or high.any()):
            low = high = np.full(d, least)  # the points are off a corner
        moved, size = centre + 0.5 * (high - low), 2.0 * half + low + high
        return replace(self, centre=tuple(moved.tolist()), extent=tuple(size.tolist()))

    def saved(self) -> dict[str, Array]:
        """For a checkpoint."""
        tip = () if self.tip is None else self.tip
        return {"centre": np.array(self.centre), "extent": np.array(self.extent), "tip": np.array(tip)}

    @classmethod
    def loaded(cls, saved: dict[str, Array]) -> Placement:
        """From what `saved` gave."""
        centre, extent, tip = (tuple(float(v) for v in saved[k]) for k in ("centre", "extent", "tip"))
        return cls(centre, extent, (tip[0], tip[1]) if tip else None)


def adaptive(case: Case) -> bool:
    """Whether the core of a case may be placed anew."""
    return case.regions is not None and case.regions.core.adaptive and case.coupling.scheme != "atomistic"


def margin(potential: Potential, crystal: Crystal) -> float:
    """How near to the core's edge a crack's tip may come, Å: its bonds and those ahead feel full atoms only."""
    return potential.receptive_field + crystal.a


def half_width(placement: Placement) -> float:
    """Of the core along the crack, at its height, Å."""
    if len(placement.extent) > 1:
        return 0.5 * placement.extent[0]
    off = 0.0 if placement.tip is None else placement.tip[1] - placement.centre[1]
    return float(np.sqrt(max(placement.extent[0] ** 2 - off**2, 0.0)))


def check_room(case: Case, potential: Potential, crystal: Crystal) -> None:
    """InputError where a core that is to follow a crack is too small to hold its tip off the edge wherever it is."""
    if not adaptive(case) or case.geometry.crack is None:
        return
    need = margin(potential, crystal) + crystal.period((1.0, 0.0, 0.0))
    have = half_width(Placement.of(case))
    if have < need:
        assert case.regions is not None
        message = (
            "an adaptive core must reach at least receptive field + lattice constant + one period along the crack = "
            f"{need / 10:.3g} nm from its centre along the crack plane, not {have / 10:.3g} nm"
        )
        raise InputError(f"regions.core.{'radius' if case.regions.core.size is None else 'size'}", message)
