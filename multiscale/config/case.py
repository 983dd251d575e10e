"""The case file as frozen dataclasses. Values are in internal units: Å, eV, eV/Å³, K in eV/Å^2.5."""

from __future__ import annotations

import math
from dataclasses import dataclass

from multiscale.config import names
from multiscale.config.crystal import CrystalConfig
from multiscale.config.given import AtomsConfig
from multiscale.config.interface import InterfaceConfig
from multiscale.config.loads import Load
from multiscale.config.parallel import ParallelConfig
from multiscale.config.spec import item
from multiscale.config.tip import TipShape
from multiscale.config.watching import WatchConfig


@dataclass(frozen=True)
class WarnLimits:
    extrapolation: float = item(
        "distance of an atom's neighbourhood from the training set, 1: the least usual 1 % of it; 0: never",
        1.2,
        at_least=0.0,
    )
    force_spread: float = item(
        "disagreement of a committee on the force of an atom; 0: never", 0.3, dimension="force", at_least=0.0
    )


@dataclass(frozen=True)
class StopLimits:
    extrapolation: float = item("as in warn", 0.0, at_least=0.0)
    force_spread: float = item("as in warn", 0.0, dimension="force", at_least=0.0)


@dataclass(frozen=True)
class TrustConfig:
    warn: WarnLimits = item("say so above these", make=WarnLimits)
    stop: StopLimits = item("end the run above these, with exit code 3 and all results kept", make=StopLimits)


@dataclass(frozen=True)
class PotentialConfig:
    type: str = item("kind of interatomic potential", choices=names.potential_types)
    model: str | None = item("type nnp: name of a shipped model, or path to a .safetensors file", None)
    calculator: str | None = item(
        "type ase: path of the class of an ASE calculator, as ase.calculators.emt.EMT, made with `parameters`",
        None,
    )
    cutoff: float | None = item(
        "type ase: reach of the interactions; the force on an atom may depend on atoms up to twice as far",
        None,
        dimension="length",
        above=0.0,
    )
    committee: str | None = item(
        "what moves the atoms where the model is a committee: its first member, with the spread of all where "
        "fields are written; the mean; its first member alone; null: spread",
        None,
        choices=("spread", "mean", "off"),
    )
    device: str = item(
        "where site energies are computed: the processor; a graphics card, the ranks of a machine sharing out its "
        "cards; a card where there is one. The processor is the default since runs on cards are untried",
        "cpu",
        choices=("cpu", "cuda", "auto"),
    )
    trust: TrustConfig = item("how far from its training data the potential may be used", make=TrustConfig)
    parameters: dict[str, float | str] = item(
        "parameters of an analytic potential or calculator, by name", make=dict
    )


@dataclass(frozen=True)
class CrackConfig:
    tip: tuple[float, float] = item("position [x, y] of the crack tip", dimension="length")
    plane: str = item("the crack plane is normal to this axis and opens towards −x", "y", choices=("y",))


@dataclass(frozen=True)
class GeometryConfig:
    shape: str = item(
        "shape of the domain: a disc, periodic along z; a ball; a block under a free surface y = 0, periodic along z "
        "with two sizes; a plate, a rectangle periodic along z; tip: a block under a tip of the same crystal that "
        "touches it at the origin, both periodic along z, free at the sides, the lower edge held, the upper one moved "
        "by the load",
        choices=("disc", "ball", "block", "plate", "tip"),
    )
    radius: float | None = item(
        "outer radius of a disc or ball; null: (core + blend)² / interatomic distance, with a crack eight times that, "
        "where the rim costs about as much accuracy as the blend",
        None,
        dimension="length",
        above=0.0,
    )
    size: tuple[float, ...] | None = item(
        "of a block: [width, depth] or [width, depth, width along z]; of a plate, and of each body with a tip: "
        "[width, height]",
        None,
        dimension="length",
        above=0.0,
    )
    tip: TipShape | None = item("the tip of shape tip", None)
    centre: tuple[float, ...] | None = item(
        "centre [x, y] of a disc or plate, or [x, y, z] of a ball; null: the origin",
        None,
        key="center",
        dimension="length",
    )
    crack: CrackConfig | None = item("a straight crack along z; null: none", None)

    @property
    def outer(self) -> float:
        """The radius, infinite before it is chosen, Å."""
        return math.inf if self.radius is None else self.radius

    @property
    def sized(self) -> bool:
        """Whether the case says how large the domain is."""
        return self.size is not None or self.radius is not None

    @property
    def dim(self) -> int:
        """Dimensions that the fields vary in."""
        if self.shape == "block":
            return len(self.size or (0.0, 0.0))
        return 3 if self.shape == "ball" else 2

    @property
    def middle(self) -> tuple[float, ...]:
        """Centre of the domain; of a block the middle of its surface, where a tip touches it."""
        return (0.0,) * self.dim if self.centre is None else self.centre

    @property
    def extent(self) -> tuple[float, ...]:
        """Sizes of a block or plate, and of a tip over it, Å."""
        assert self.size is not None
        return self.size


@dataclass(frozen=True)
class ShapeConfig:
    shape: str = item("shape of the atomistic core", choices=("disc", "ball", "box"))
    center: str | tuple[float, ...] = item(
        "centre: tip, origin or a position", "origin", choices=("tip", "origin"), dimension="length"
    )
    radius: float | None = item("radius of a disc or ball", None, dimension="length", above=0.0)
    size: tuple[float, ...] | None = item("edge lengths of a box", None, dimension="length", above=0.0)
    adaptive: bool = item(
        "place the core anew while the load goes on: along with the tip of a crack that runs, and larger where the "
        "bulk is above the tolerance",
        False,
    )
    tolerance: float | None = item(
        "with adaptive: the error indicator of the bulk, a strain, above which the core grows (the change of strain "
        "over a lattice constant and its distance from linear response; forces a committee disagrees on); null: never",
        None,
        above=0.0,
    )


@dataclass(frozen=True)
class RegionsConfig:
    core: ShapeConfig = item("where every atom is followed with its full weight")
    blend: float = item("width of the zone where atoms hand over to the mesh", dimension="length", above=0.0)


@dataclass(frozen=True)
class MeshConfig:
    growth: float = item(
        "ratio of the sizes of neighbouring elements outwards", 1.2, at_least=1.01, at_most=2.9
    )
    file: str | None = item(
        "a mesh file read instead, in any format of meshio (gmsh, vtu, XDMF, MED, Exodus, Abaqus ...), lengths in Å; "
        "its outer boundary must be a group named outer, crack faces crack_upper and crack_lower",
        None,
    )
    h: float | None = item(
        "element size at the blend; null: the lattice spacing", None, dimension="length", above=0.0
    )
    h_max: float | None = item("largest element; null: no limit", None, dimension="length", above=0.0)
    interface_h: float | None = item(
        "element size along a cohesive surface; null: as at the blend", None, dimension="length", above=0.0
    )
    interface_length: float | None = item(
        "how far from the crack tip the cohesive surface is that fine; null: as fine only at the blend",
        None,
        dimension="length",
        above=0.0,
    )


@dataclass(frozen=True)
class ContinuumConfig:
    law: str = item("constitutive law of the bulk, derived from the potential", "elastic-series",
                    choices=names.continuum_laws)  # fmt: skip
    model: str | None = item(
        "law neural: a file of `multiscale material --fit-law`; null: fitted when the run starts", None
    )
    young: float | None = item(
        "Young's modulus of an isotropic law; null: the crystal's average",
        None,
        dimension="stress",
        above=0.0,
    )
    poisson: float | None = item(
        "Poisson's ratio of an isotropic law; null: the crystal's average", None, above=-1.0, at_most=0.4999
    )
    mesh: MeshConfig = item("the finite-element mesh", make=MeshConfig)
    degree: int = item("polynomial degree of the elements", 1, choices=(1, 2))


@dataclass(frozen=True)
class CouplingConfig:
    scheme: str = item("how atoms and mesh are joined; atomistic: no mesh at all, the reference; continuum: no atoms",
                       "bgfc",
                       choices=names.coupling_schemes)  # fmt: skip
    mask: str = item(
        "shape of the step from atoms to mesh; optimal: the least second difference that the lattice allows",
        "quintic",
        choices=("cubic", "quintic", "optimal"),
    )
    shift: str = item(
        "internal shift of a crystal's sublattices in the blend: linear in the strain; relaxed at the local strain as "
        "the Cauchy-Born law has it (schemes bqcf and schwarz), exact at any; none",
        "linear",
        choices=("linear", "relaxed", "none"),
    )


@dataclass(frozen=True)
class ArcConfig:
    first: float = item("length of the first step along the path", 0.05, dimension="length", above=0.0)
    largest: float = item("length of the longest step", 0.4, dimension="length", above=0.0)
    points: int = item("most points of the path", 200, at_least=3, at_most=1_000_000)


@dataclass(frozen=True)
class SolverConfig:
    path: str = item(
        "load: from value to value of the load; arc-length: along the path of equilibria from the first two values, "
        "through the folds where bonds break or heal, until it rises above the largest value, sinks below the load's "
        "return_to, or has the crack advanced",
        "load",
        choices=("load", "arc-length"),
    )
    arc: ArcConfig = item("with path arc-length: its steps", make=ArcConfig)
    method: str = item(
        "quasi-newton (few force evaluations) or newton (few iterations: Hessian products; the former takes over "
        "where it does not converge)",
        "quasi-newton",
        choices=("quasi-newton", "newton"),
    )
    force_tolerance: float = item(
        "largest force left on any degree of freedom", 1e-3, dimension="force", above=0.0
    )
    max_iterations: int = item("iterations allowed per step", 500, at_least=1)
    on_failure: str = item("when a step does not converge", "stop", choices=("stop", "continue"))
    watch: WatchConfig = item(
        "what to look for that should not happen, and whether it ends the run", make=WatchConfig
    )


@dataclass(frozen=True)
class OutputConfig:
    every: int = item("write fields every so many steps; the last step always", 1, at_least=1)
    pictures: bool = item("draw the pictures (*.png)", True)
    atoms: bool = item("write atoms.pvd and atoms.extxyz", True)


@dataclass(frozen=True, kw_only=True)
class Case:
    title: str = item("one line for people", "")
    crystal: CrystalConfig = item("the perfect crystal")
    atoms: AtomsConfig | None = item(
        "atoms from a file in place of the crystal's, in the core, or with scheme atomistic all; null: none",
        None,
    )
    potential: PotentialConfig = item("the interatomic potential; everything else is derived from it")
    geometry: GeometryConfig = item("the whole domain")
    regions: RegionsConfig | None = item(
        "where atoms and where mesh; null only with scheme atomistic or continuum", None
    )
    continuum: ContinuumConfig = item("the bulk", make=ContinuumConfig)
    coupling: CouplingConfig = item("where atoms and mesh meet", make=CouplingConfig)
    interface: InterfaceConfig = item("what holds the crack faces together", make=InterfaceConfig)
    load: Load = item("what is done to the domain")
    solver: SolverConfig = item("when a step is converged", make=SolverConfig)
    output: OutputConfig = item("what is written", make=OutputConfig)
    parallel: ParallelConfig = item(
        "which ranks have what; all have both if nothing is said", make=ParallelConfig
    )
