"""The section of the case file on the load: one class for each type, one line in LOADS."""

from __future__ import annotations

from dataclasses import dataclass

from multiscale.config.spec import item
from multiscale.config.tip import TipLoad

Row = tuple[float, float, float]
K_UNIT = "eV/Å^2.5"
K_GRIFFITH = "K_G"
MOST_STEPS = 1_000_000


class _Steps:
    """What ranges of either kind give."""

    start: float
    end: float
    steps: int
    back_to: float | None

    def upward(self) -> tuple[float, ...]:
        """The values from `from` to `to`."""
        n = self.steps - 1
        return (*(self.start + (self.end - self.start) * k / n for k in range(n)), self.end)

    @property
    def floor(self) -> float:
        """Where the way back ends."""
        return self.start if self.back_to is None else self.back_to


@dataclass(frozen=True)
class KRange(_Steps):
    """Stress intensities to go through; unit: K_UNIT, or K_GRIFFITH for multiples of the Griffith value."""

    start: float = item("first value", key="from", dimension="stress intensity", unit_key="unit")
    end: float = item("last value", key="to", dimension="stress intensity", unit_key="unit")
    steps: int = item("number of values, first and last included", at_least=1, at_most=MOST_STEPS)
    unit: str = item("unit of bare numbers; K_G: multiples of the Griffith value", K_UNIT,
                     unit_of="stress intensity", relative=(K_GRIFFITH,))  # fmt: skip
    back: bool = item("go back down in the same steps afterwards", False, key="return")
    back_to: float | None = item("with return: where the way back ends; null: at the first value", None,
                                 key="return_to", dimension="stress intensity", unit_key="unit")  # fmt: skip

    @property
    def relative(self) -> bool:
        """Whether the values are multiples of the Griffith value."""
        return self.unit == K_GRIFFITH


@dataclass(frozen=True)
class StopConfig:
    advance: float | None = item(
        "turn back, or stop, when the crack tip has advanced by this much",
        None,
        dimension="length",
        above=0.0,
    )


@dataclass(frozen=True, kw_only=True)
class KFieldLoad:
    """The asymptotic field of a crack in the anisotropic bulk, held on the outer boundary."""

    type: str = item("the near-tip field of a crack on the outer boundary", choices=("k-field",))
    mode: str = item(
        "opening (I), in-plane shear (II) or out-of-plane shear (III)", "I", choices=("I", "II", "III")
    )
    K: KRange = item("stress intensities to go through")
    stop: StopConfig = item("when to stop before the last value", make=StopConfig)


@dataclass(frozen=True)
class StrainLoad:
    """A homogeneous displacement gradient held on the outer boundary."""

    type: str = item("a homogeneous deformation on the outer boundary", choices=("strain",))
    gradient: tuple[Row, Row, Row] = item(
        "displacement gradient ∂u_i/∂x_j, three rows", at_least=-10.0, at_most=10.0
    )
    steps: int = item("applied in this many equal steps", 1, at_least=1, at_most=MOST_STEPS)


@dataclass(frozen=True)
class LengthRange(_Steps):
    """Depths or openings to go through."""

    start: float = item("first value", key="from", dimension="length")
    end: float = item("last value", key="to", dimension="length")
    steps: int = item("number of values, first and last included", at_least=1, at_most=MOST_STEPS)
    back: bool = item("go back in the same steps afterwards", False, key="return")
    back_to: float | None = item(
        "with return: where the way back ends; null: at the first value",
        None,
        key="return_to",
        dimension="length",
    )


@dataclass(frozen=True)
class ContactConfig:
    law: str = item(
        "repulsive: a force k (R − r)² on each site nearer than the radius; adhesive: a potential per area that two "
        "half-spaces of Lennard-Jones atoms have",
        "repulsive",
        choices=("repulsive", "adhesive"),
    )
    stiffness: float = item(
        "k of the repulsive law, eV/Å^3 for each site", 10.0, dimension="stress", above=0.0
    )
    work: float | None = item(
        "work of adhesion of the adhesive law", None, dimension="surface energy", above=0.0
    )
    distance: float = item("gap of the adhesive law at rest", 3.0, key="range", dimension="length", above=0.0)


@dataclass(frozen=True, kw_only=True)
class IndentLoad:
    """A rigid indenter pressed into the free surface of a block whose sides and bottom are held."""

    type: str = item("a smooth rigid body pressed into the surface of a block", choices=("indent",))
    shape: str = item("sphere (3D), or cylinder along z (2D)", choices=("sphere", "cylinder"))
    radius: float = item("radius of the indenter", dimension="length", at_least=1.0)
    centre: tuple[float, ...] | None = item(
        "where it touches the surface, [x] or [x, z]; null: in the middle",
        None,
        key="center",
        dimension="length",
    )
    depth: LengthRange = item(
        "depths to go through, negative above the surface; at zero it touches the outermost atoms at rest, without a "
        "force"
    )
    contact: ContactConfig = item("what acts between indenter and surface", make=ContactConfig)


@dataclass(frozen=True, kw_only=True)
class OpeningLoad:
    """A plate pulled apart across its crack plane."""

    type: str = item("a plate pulled apart across its crack plane", choices=("opening",))
    grips: str = item(
        "edges: its upper and lower edges are clamped (a strip); ends: the ends of the two arms beside the crack are "
        "moved along y and turn freely, the other end of the plate is clamped (a double cantilever beam)",
        choices=("edges", "ends"),
    )
    opening: LengthRange = item("distance by which the grips have moved apart")
    stop: StopConfig = item("when to stop before the last value", make=StopConfig)


LOADS: dict[str, type] = {
    "k-field": KFieldLoad,
    "strain": StrainLoad,
    "indent": IndentLoad,
    "opening": OpeningLoad,
    "tip": TipLoad,
}
Load = KFieldLoad | StrainLoad | IndentLoad | OpeningLoad | TipLoad
