"""What a run leaves behind: rows, fields, pictures, checkpoints."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from multiscale import masking, watchdogs
from multiscale.adapting import faces, left_behind, sizes
from multiscale.build import Simulation
from multiscale.checkpoint import save
from multiscale.cohesive_law import origin
from multiscale.cohesive_plot import plot_law
from multiscale.config import case_hash
from multiscale.config.quantities import DIMENSIONS, parse_unit
from multiscale.contact import contact_row
from multiscale.domain import domain
from multiscale.drawn import drawn_atoms, drawn_cells
from multiscale.energy_release import energy_release, ring_of, ring_place
from multiscale.extrapolation import extrapolation
from multiscale.findings import findings
from multiscale.following import Follower
from multiscale.indicating import Indication, indication
from multiscale.interface import Interface
from multiscale.law_file import write_law
from multiscale.log import logger
from multiscale.pictures import draw_state, load_figure
from multiscale.placement import adaptive
from multiscale.result import Result
from multiscale.shown_units import units_of
from multiscale.snapshots import (
    atom_snapshot,
    energy_inside,
    mesh_snapshot,
    surface_snapshot,
)
from multiscale.stepping import Step, Stepper
from multiscale.tip_record import tip_row
from multiscale.versions import versions
from multiscale.work import work_row
from multiscale.writers import ExtxyzWriter, SeriesWriter

Array = np.ndarray


@dataclass
class Recorder:
    """Writes the output folder of a run. All calls are collective; rank 0 holds the files that are one.

    resume: the last step that is kept of what is in the folder, None: nothing is;
    stopped: whether a step went beyond a limit that ends the run (potential.trust.stop)."""

    simulation: Simulation
    folder: Path
    resume: int | None = None
    seconds: float = 0.0
    stopped: bool = field(default=False, init=False)
    _advised: set[str] = field(default_factory=set, init=False)
    _fields: SeriesWriter | None = field(default=None, init=False)
    _surface: SeriesWriter | None = field(default=None, init=False)
    _atoms: SeriesWriter | None = field(default=None, init=False)
    _extxyz: ExtxyzWriter | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        case, comm = self.simulation.case, self.simulation.model.comm
        write, name = comm.rank == 0, case_hash(case)
        self.result = Result(self.folder, name, versions(), write)
        if self.resume is not None:
            self.result = Result.resume(self.folder, name, versions(), self.resume, write)
        if self.simulation.model.bulk is not None:
            self._fields = SeriesWriter(comm, self.folder, "fields", self.resume)
        if (interface := self.simulation.interface) is not None:
            self._write_law(interface)
            self._surface = SeriesWriter(comm, self.folder, "surface", self.resume)
        if case.output.atoms and self.simulation.model.atoms.ownership.total:
            self._atoms = SeriesWriter(comm, self.folder, "atoms", self.resume)
            self._extxyz = ExtxyzWriter(comm, self.folder, "atoms", self.resume)
        self.result.note("counts", **counts(self.simulation))
        self.result.note("units", **units_of(case, self.simulation.load.dimension))
        self.result.note("results", **findings(self.simulation, self.result.steps))

    def record(self, stepper: Stepper | Follower, step: Step, total: int) -> None:
        """Write a step: its fields when it is their turn or the last, or the run ends with it, its row always, and when
        all that is there the checkpoint: a run goes on from that, and what is newer in the folder is dropped."""
        began = perf_counter()
        behind = left_behind(self.simulation)
        self._adopt(stepper.simulation, step)
        row = self._row(stepper, step)
        self._add_faces(row["energy"], behind)
        found = self._indication(stepper)
        row |= {} if found is None else {"indicator": found.largest}
        every, trust = self.simulation.case.output.every, self.simulation.trust
        due = step.number % every == 0 or step.number == total or not step.solution.converged
        positions = self.simulation.model.positions(stepper.q)
        look = trust.look(positions, with_spread=due)
        row |= trust.largest(look)
        law = extrapolation(self.simulation.model, stepper.q)
        row |= {} if law is None else {"extrapolated_points": law.beyond}
        warnings = trust.warnings(step.number, look, positions)
        if step.number == 1:
            warnings += masking.warnings(self.simulation.case, self.simulation.model, 1)
        if self.simulation.interface is not None:
            warnings += self.simulation.interface.warnings(stepper.q, step.number)
        seen = [*step.seen, *watchdogs.look(self.simulation, stepper.q, step.value, step.number)]
        self._warn(step.number, warnings + ([] if law is None else law.warnings(step.number)) + seen)
        if due or self.stopped:
            cells = {} if found is None else {"indicator": found.cells}
            self._write_fields(stepper, step, row["load"], look.fields, cells)
        if self._pictures and (stepper.at_top or not step.solution.converged):
            self._draw(stepper, row)  # the highest load is what people look at
        self.result.note("results", **findings(self.simulation, [*self.result.steps, row]))
        self.result.add_step(**row)
        if self._is_sound(step, seen):
            save(self.simulation.model.comm, self.folder, stepper.save())
        self.seconds += perf_counter() - began

    def _is_sound(self, step: Step, seen: list[dict[str, Any]]) -> bool:
        """Whether a run may go on from a step: from one that failed and ends it the one before is kept."""
        goes_on = step.solution.converged or self.simulation.case.solver.on_failure == "continue"
        return goes_on and not any(entry["stops"] for entry in seen)

    def _write_law(self, interface: Interface) -> None:
        """The law of rigid bodies, for interface.law of other runs."""
        case, material = self.simulation.case, self.simulation.material
        if self.simulation.model.comm.rank == 0:
            header = {"title": case.title, "source": origin(case, material)}
            write_law(interface.rigid, self.folder / "law.json", header)
            if self._pictures:
                plot_law(interface.rigid, header, self.folder / "law.png")

    def _adopt(self, simulation: Simulation, step: Step) -> None:
        """Go on with a simulation whose core has been placed anew."""
        self.result.remesh(step.number, [what.row(step.number) for what in step.remeshings])
        if step.remeshings:
            self.simulation = simulation
            self.result.note("counts", **counts(simulation))
        for what in step.remeshings:
            if simulation.model.comm.rank == 0:
                logger.info("step %d: %s", step.number, what.text())

    def _add_faces(self, energy: dict[str, float], before: float) -> None:
        """Count the faces that an adaptive core has left to the mesh; before: eV, when the step began."""
        if adaptive(self.simulation.case) and self.simulation.bonds is not None:
            energy["faces"] = left_behind(self.simulation)
            energy["total"] += energy["faces"]
            energy["predictor"] += before

    def _indication(self, stepper: Stepper | Follower) -> Indication | None:
        """The error indicator where there is a tolerance to compare it with."""
        sim, regions = self.simulation, self.simulation.case.regions
        if not adaptive(sim.case) or regions is None or regions.core.tolerance is None:
            return None
        return indication(sim, stepper.q, regions.core.tolerance, faces(sim, stepper.q))

    def _warn(self, step: int, entries: list[dict[str, Any]]) -> None:
        """Keep and say what cannot be trusted in a step; a limit that ends the run sets `stopped`."""
        self.result.warn(step, entries)
        for entry in entries:
            if self.simulation.model.comm.rank == 0:
                logger.warning("%s", self._said(entry))
            self.stopped |= entry["stops"]

    def _said(self, entry: dict[str, Any]) -> str:
        """A warning's message; what to do about its kind is said once in a run, result.json has it each time."""
        text, advice = entry["message"], entry.get("advice", "")
        if entry["kind"] in self._advised and not entry["stops"]:
            text = text.removesuffix(advice).rstrip(":; ")
        self._advised.add(entry["kind"])
        return str(text)

    @property
    def _pictures(self) -> bool:
        return self.simulation.case.output.pictures

    def finish(self, status: str, timings: dict[str, float]) -> None:
        """Picture of the whole load, timings and the final status."""
        began = perf_counter()
        if self._pictures and self.result.steps:
            self._draw_history()
        self.seconds += perf_counter() - began
        self.result.note("timings", **timings, output=round(self.seconds, 3))
        self.result.finish(status)

    def _row(self, stepper: Stepper | Follower, step: Step) -> dict[str, Any]:
        sim, solution = self.simulation, step.solution
        energy = {**asdict(solution.energy), "total": solution.energy.total, "predictor": step.start.total}
        if sim.model.bulk is None and not sim.model.terms:  # what an indenter does, the held layer shares in
            energy["inside"] = energy_inside(sim.model, stepper.q, domain(sim.case))
        row: dict[str, Any] = {
            "step": step.number,
            "load": shown(step.value, sim.load.dimension),
            "turned": step.turned,
            "energy": energy,
            "residual": solution.residual,
            "converged": solution.converged,
            "iterations": solution.iterations,
            "force_evaluations": solution.evaluations,
            "hessian_products": solution.products,
            "site_evaluations": step.sites,
            "seconds": round(step.seconds, 3),
        }
        if step.tip is not None:
            row["crack_tip"] = step.tip
        if sim.interface is not None:
            row["energy"]["dissipated"] = sim.interface.dissipated
        row |= work_row(sim, step.force, step.work)
        ring = None if step.tip is None else ring_of(sim.model, *ring_place(sim, step.tip))
        if ring is not None:
            rate = energy_release(sim.model, stepper.q, ring, sim.interface)
            row["energy_release_rate"] = shown(rate, "surface energy")
        row |= contact_row(sim, stepper.q) | tip_row(sim, stepper.q, step.value)
        if step.fold is not None:
            row["fold"] = shown(step.fold, sim.load.dimension)
        if sim.load.dimension == "stress intensity":
            row["K_over_K_G"] = step.value / sim.material.griffith
        return row

    def _write_fields(
        self,
        stepper: Stepper | Follower,
        step: Step,
        load: float,
        more: dict[str, Array],
        cells: dict[str, Array],
    ) -> None:
        model = self.simulation.model
        if self._fields is not None:
            snapshot = mesh_snapshot(model, stepper.q, cells)
            assert snapshot is not None
            self._fields.write(step.number, snapshot)
        if self._surface is not None and self.simulation.interface is not None:
            self._surface.write(step.number, surface_snapshot(self.simulation.interface, stepper.q))
        if self._atoms is not None and self._extxyz is not None:
            atoms = atom_snapshot(model, stepper.q, more)
            self._atoms.write(step.number, atoms)
            self._extxyz.write(step.number, atoms, {"load": load}, model.atoms.sites)

    def _draw(self, stepper: Stepper | Follower, row: dict[str, Any]) -> None:
        sim, comm = self.simulation, self.simulation.model.comm
        atoms = drawn_atoms(comm, atom_snapshot(sim.model, stepper.q), sim.model.atoms.sites)
        local = mesh_snapshot(sim.model, stepper.q)
        mesh = None if local is None else drawn_cells(comm, local)
        if atoms is not None:
            draw_state(sim.case, mesh, atoms, row, self.folder)

    def _draw_history(self) -> None:
        if self.simulation.model.comm.rank == 0:
            data = self.result.data
            load_figure(self.simulation.case, data["steps"], data["results"], self.folder / "history.png")


def shown(value: float, dimension: str) -> float:
    """A value in the unit that results are written in."""
    if not dimension:
        return value
    d = DIMENSIONS[dimension]
    return value / parse_unit(d.shown).factor


def counts(sim: Simulation) -> dict[str, int]:
    """Sizes of a model, and the number of ranks."""
    return {**sizes(sim), "ranks": sim.model.comm.size}
