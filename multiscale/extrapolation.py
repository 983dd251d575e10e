"""Where the bulk is strained beyond what its law was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from petsc4py import PETSc

from coupling.model import Model

Array = np.ndarray


@dataclass(frozen=True)
class Extrapolation:
    """beyond: quadrature points outside what the law was made from, of `points`; farthest: how many times as far as
    it knows, at a cell's centre `where` (2 or 3), Å."""

    beyond: int
    points: int
    farthest: float
    where: Array

    def warnings(self, step: int) -> list[dict[str, Any]]:
        """One entry where there is something to warn of, with the keys of multiscale.trust's, points for atoms."""
        if self.beyond == 0:
            return []
        at = ", ".join(f"{x:.1f}" for x in self.where)
        message = (
            f"step {step}: the law of the bulk extrapolates at {self.beyond} of {self.points} quadrature points, most "
            f"at ({at}) Å, where the strain is {self.farthest:.2f} times what it was made from: enlarge the core"
        )
        entry = {"step": step, "kind": "law", "value": self.farthest, "limit": 1.0, "points": self.beyond}
        return [entry | {"position": self.where.tolist(), "stops": False, "message": message}]


def extrapolation(model: Model, q: PETSc.Vec) -> Extrapolation | None:
    """None without a mesh, and for a law without bounds. The same on every rank. Collective."""
    bulk: Any = model.bulk  # the coupling's protocol names no output
    if bulk is None or not hasattr(bulk.law, "extrapolation"):
        return None
    far = bulk.extrapolation(q.array_r[model.layout.mesh].copy())
    largest, where = 0.0, np.zeros(bulk.dim)
    if far.size:
        cell = int(np.argmax(far.max(axis=1)))
        largest, where = float(far[cell].max()), bulk.cell_geometry()[cell].mean(axis=0)
    parts = model.comm.allgather((int((far > 1.0).sum()), int((far > 0.0).sum()), largest, where))
    beyond, points, _, _ = zip(*parts)
    worst = max(parts, key=lambda part: part[2])
    return Extrapolation(sum(beyond), sum(points), worst[2], worst[3])
