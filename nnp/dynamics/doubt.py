"""How far the potential can be believed while atoms move."""

from __future__ import annotations

from dataclasses import dataclass, field

from ase import Atoms

from nnp.committee import Calibration, Committee
from nnp.evaluate import environments
from nnp.known import Extrapolating
from nnp.neighbors import NeighborList
from nnp.state import State


class Extrapolated(RuntimeError):
    """An atom's neighbourhood lies beyond the limit that ends a run; the message says which."""


@dataclass
class Doubt:
    """Measures frames of a run that the first member of a committee, or a single model, drives.

    measure, committee: None where there is none. warn, stop: of the extrapolation (see nnp.known); 0: never.
    warnings: one for every frame above `warn`.
    """

    measure: Extrapolating | None
    committee: Committee | None
    cutoff: float
    warn: float = 1.2
    stop: float = 0.0
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        reach = max(self.cutoff, self.committee.cutoff if self.committee else 0.0)
        self._list = NeighborList(reach)

    def measured(self, atoms: Atoms) -> None:
        """Set the atoms' arrays extrapolation and force_spread (eV/Å), as far as they are known."""
        state = State.from_ase(atoms)
        pairs = self._list(state)
        if self.measure is not None:
            graph = environments(state, pairs)[1]
            atoms.arrays["extrapolation"] = self.measure.extrapolation(graph).double().numpy()
        if self.committee is not None:
            known = self.committee.calibration or Calibration()
            spread = self.committee.spread(state, pairs).forces.norm(dim=1).numpy()
            atoms.arrays["force_spread"] = spread * known.first_forces / known.forces

    def judge(self, atoms: Atoms, step: int) -> None:
        """Of a frame that was measured: keep a warning. Extrapolated beyond `stop`."""
        if "extrapolation" not in atoms.arrays or self.measure is None:
            return
        values = atoms.arrays["extrapolation"]
        worst = int(values.argmax())
        where = ", ".join(f"{x:.2f}" for x in atoms.positions[worst])
        text = f"step {step}: extrapolation {values[worst]:.3g} of atom {worst} at ({where}) Å"
        if 0.0 < self.stop < values[worst]:
            raise Extrapolated(f"{text}, above {self.stop:g}: the potential was trained on nothing like it")
        if 0.0 < self.warn < values[worst]:
            self.warnings.append(f"{text}, above {self.warn:g}")
