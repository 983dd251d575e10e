"""Errors of a potential on labelled frames, by configuration type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ase.units import GPa

from nnp.data import Frame
from nnp.potential import Potential, check_species
from nnp.train.batch import Batch, collate, prepare
from nnp.train.loss import predict

QUANTITIES = {"energy": "meV/atom", "forces": "eV/Å", "stress": "GPa"}


def errors_of_frames(
    potential: Potential, frames: Sequence[Frame], dtype: torch.dtype = torch.float64
) -> dict[str, Any]:
    """See `errors`. UnknownSpeciesError when a frame holds an element that the potential does not know."""
    for frame in frames:
        check_species(potential, frame.state.numbers)
    batches = [prepare(f, potential.cutoff, dtype) for f in frames]
    return errors(potential, batches, [f.group for f in frames], [f.volume for f in frames])


def errors(
    potential: Potential,
    frames: Sequence[Batch],
    groups: Sequence[str],
    volumes: Sequence[float],
    together: int = 8,
) -> dict[str, Any]:
    """{configuration type: {frames, atoms, energy, forces, stress: {rmse, mae}}}, and the same under "all".

    Energy meV/atom; force components eV/Å; stress components GPa, over the frames that have one (None where
    none has). `frames` are batches of one frame each.
    """
    raw: dict[str, list[dict[str, np.ndarray]]] = {}
    for start in range(0, len(frames), together):
        part = slice(start, start + together)
        for group, differences in zip(groups[part], _differences(potential, frames[part], volumes[part])):
            raw.setdefault(group, []).append(differences)
    rows = {group: _summary(raw[group]) for group in sorted(raw)}
    return {**rows, "all": _summary([d for each in raw.values() for d in each])} if raw else {}


def _differences(
    potential: Potential, frames: Sequence[Batch], volumes: Sequence[float]
) -> list[dict[str, np.ndarray]]:
    batch = collate(frames)
    p = predict(potential, batch, for_training=False)
    energy = (1e3 * (p.energy - batch.energy) / batch.sizes).detach().numpy()
    force = (p.forces - batch.forces).detach().double().numpy()
    virial = (p.virial - batch.virial).detach().double().numpy()
    last = np.cumsum(batch.sizes.numpy())
    return [
        {
            "energy": energy[k : k + 1],
            "forces": force[last[k] - int(n) : last[k]].ravel(),
            "stress": virial[k].ravel() / volumes[k] / GPa if bool(batch.has_virial[k]) else np.empty(0),
        }
        for k, n in enumerate(batch.sizes)
    ]


def _summary(frames: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    row: dict[str, Any] = {"frames": len(frames), "atoms": sum(len(f["forces"]) // 3 for f in frames)}
    for name in QUANTITIES:
        d = np.concatenate([f[name] for f in frames])
        row[name] = (
            {"rmse": float(np.sqrt(np.mean(d**2))), "mae": float(np.abs(d).mean())} if len(d) else None
        )
    return row
