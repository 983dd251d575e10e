"""How far a run's potential can be believed, atom by atom, and what to say or do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coupling.model import Model
from coupling.spread import ModelSpread
from multiscale.config import Case, InputError
from multiscale.config.case import TrustConfig
from multiscale.material import Material
from multiscale.watch import place
from nnp.committee import Committee
from nnp.known import Extrapolating
from nnp.potential import Potential
from nnp.statistics import extrapolating

Array = np.ndarray

ADVICE = {
    "extrapolation": "its neighbourhood is unlike those that the potential was trained on",
    "force_spread": "the members of the committee do not agree on the force there",
}
NEXT = "pick frames to label with `nnp select MODEL atoms.extxyz`, train on them, run again"
UNITS = {"extrapolation": "", "force_spread": " eV/Å"}


@dataclass(frozen=True)
class Look:
    """What is known of this rank's atoms at one moment, by name, (n,) each: extrapolation (no unit; zero on
    atoms that are not evaluated), force_spread (eV/Å), site_energy_spread (eV)."""

    fields: dict[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Trust:
    """measure: None where the potential knows nothing of its training set; spread: None without a committee;
    notes: what a run says of both when it starts."""

    model: Model
    limits: TrustConfig
    measure: Extrapolating | None
    spread: ModelSpread | None
    notes: tuple[str, ...] = ()

    def look(self, positions: Array, with_spread: bool) -> Look:
        """Measure at positions (n, 3) of this rank's atoms; the spread, which costs an evaluation of each member, only
        if asked for. Collective."""
        found: dict[str, Array] = {}
        with self.model.clock("trust"):
            if self.measure is not None:
                index, graph = self.model.atomistic.graph(positions)
                values = np.zeros(len(positions))
                if len(index):
                    values[index] = self.measure.extrapolation(graph).numpy()
                found["extrapolation"] = values
            if self.spread is not None and with_spread:
                found["force_spread"], found["site_energy_spread"] = self.spread(positions)
        return Look(found)

    def largest(self, look: Look) -> dict[str, float]:
        """The largest value of each field on any rank. Collective."""
        comm = self.model.comm
        return {
            name: max(comm.allgather(float(values.max(initial=0.0)))) for name, values in look.fields.items()
        }

    def warnings(self, step: int, look: Look, positions: Array) -> list[dict[str, Any]]:
        """One entry for each kind that is above a limit: step, kind, value, limit, atom and position (Å) of the
        largest value, how many atoms are above, whether it ends the run, and a message. Collective."""
        out = []
        for kind in ADVICE:
            if kind not in look.fields:
                continue
            warn, stop = getattr(self.limits.warn, kind), getattr(self.limits.stop, kind)
            value, atom, place = self._worst(look.fields[kind], positions)
            limit = stop if 0.0 < stop < value else warn
            if limit == 0.0 or value <= limit:
                continue
            above = int(self.model.atoms.ownership.sum(float((look.fields[kind] > limit).sum())))
            entry = {"step": step, "kind": kind, "value": value, "limit": limit, "atom": atom}
            entry |= {"position": place, "atoms": above, "stops": limit == stop}
            out.append({**entry, "message": _message(entry), "advice": _advice(kind)})
        return out

    def _worst(self, values: Array, positions: Array) -> tuple[float, int, list[float]]:
        """Largest value of all ranks, its atom, and where that is."""
        own = self.model.atoms.ownership
        k = int(values.argmax()) if len(values) else 0
        mine = (float(values[k]), own.low + k, positions[k].tolist()) if len(values) else (0.0, 0, [])
        return max(own.comm.allgather(mine))


def _message(entry: dict[str, Any]) -> str:
    kind, unit = entry["kind"], UNITS[entry["kind"]]
    more = f", {entry['atoms']} atoms" if entry["atoms"] > 1 else ""
    return (
        f"step {entry['step']}: {kind.replace('_', ' ')} {entry['value']:.3g}{unit} of atom {entry['atom']} at "
        f"{place(entry['position'])}, above {entry['limit']:g}{unit}{more}: {_advice(kind)}"
    )


def _advice(kind: str) -> str:
    return f"{ADVICE[kind]}; {NEXT}"


def check_limits(case: Case, potential: Potential, committee: Committee | None) -> None:
    """InputError where a limit is to stop the run that can never be measured."""
    stop = case.potential.trust.stop
    if stop.extrapolation > 0.0 and extrapolating(potential) is None:
        message = "cannot be measured: the potential holds no statistics of its training set (`nnp stats` adds them)"
        raise InputError("potential.trust.stop.extrapolation", message)
    if stop.force_spread > 0.0 and committee is None:
        message = "cannot be measured: the potential is no committee, or potential.committee is off"
        raise InputError("potential.trust.stop.force_spread", message)


def make_trust(case: Case, material: Material, model: Model) -> Trust:
    if not model.atoms.ownership.total:
        return Trust(model, case.potential.trust, None, None, ())
    measure, committee = extrapolating(material.potential), material.committee
    spread = None if committee is None else ModelSpread.of(committee, model.atomistic, material.crystal)
    return Trust(model, case.potential.trust, measure, spread, _notes(case, material, measure))


def _notes(case: Case, material: Material, measure: Extrapolating | None) -> tuple[str, ...]:
    notes, committee = [], material.committee
    if committee is not None:
        who = "its mean" if material.potential is committee else "its first member"
        how = "68 % intervals from its calibration" if committee.calibration else "not calibrated"
        notes.append(f"committee of {len(committee.members)}: {who} moves the atoms; force spread: {how}")
    if case.potential.type == "nnp" and measure is None:
        notes.append("extrapolation is not measured: the model holds no statistics (`nnp stats` adds them)")
    return tuple(notes)
