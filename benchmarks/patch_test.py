"""The patch test: forces that a coupled model leaves in the perfect crystal, at rest and under uniform strain.

    python benchmarks/patch_test.py [--quick]

Largest force on a free atom or node, in units of the largest force constant times the lattice constant; round-off is
below 1e-10. Also the powers of the strain with which residual and energy of `bgfc` leave those of the crystal. Prints
tables and writes benchmarks/results/patch_test.json and .md; --quick takes two crystals and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mpi4py import MPI

from coupling.assemble import coupled_model, halo
from coupling.atoms import thickness
from coupling.hessian import reference_hessian
from coupling.model import Model
from coupling.regions import Ball, Mask
from coupling.schemes import SCHEMES, Reference
from meshes.disc import graded_disc
from meshes.lattice import LatticePatch, longest_edge
from multiscale.block import projected_lattice
from multiscale.continuum.bulk import Bulk
from multiscale.continuum.laws import LAWS
from nnp.committee import driving
from nnp.crystal import Crystal, make_crystal
from nnp.homogeneous import HomogeneousCrystal, internal_shift, lattice_constant
from nnp.potential import Potential
from nnp.registry import make_potential

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.nnp.setfl_files import made_up_alloy

Array = np.ndarray
RESULTS = Path(__file__).parent / "results"
SILICON = {"x": (1, 1, -2), "y": (1, 1, 1), "z": (1, -1, 0)}
LJ = {"epsilon": 0.1, "sigma": 2.4, "cutoff": 5.0, "symbol": "Ar"}
MATERIALS: dict[str, tuple[str, str, Callable[[], Potential]]] = {
    "triangular": ("triangular", "X", lambda: make_potential("triangular")),
    "Lennard-Jones": ("fcc", "Ar", lambda: make_potential("lennard-jones", **LJ)),
    "Morse": ("fcc", "Cu", lambda: make_potential("morse")),
    "embedded atom": ("fcc", "Cu", lambda: make_potential("eam", file=str(made_up_alloy()))),
    "Stillinger-Weber": ("diamond", "Si", lambda: make_potential("stillinger-weber")),
    "si": ("diamond", "Si", lambda: driving(make_potential("nnp", model="si"))[0]),
}
UNIFORM = np.array([[1.0, 0.4, 0.0], [0.0, -0.8, 0.0], [0.0, 0.0, 0.0]])
UNIFORM /= np.abs(np.linalg.eigvalsh(0.5 * (UNIFORM + UNIFORM.T))).max()
"""Largest principal strain one."""
REST = np.zeros((3, 3))


@dataclass
class Patch:
    """A disc of perfect crystal with a core of atoms. relaxed: the basis follows the strain at any size."""

    potential: Potential
    crystal: Crystal
    relaxed: bool = False
    core: float = 9.0
    blend: float = 9.0

    @cached_property
    def model(self) -> Model:
        potential, crystal = self.potential, self.crystal
        mask, vectors = Mask(Ball((0.3, 0.2), self.core), self.blend), projected_lattice(crystal)
        spacing = float(np.linalg.norm(vectors, axis=1).max())
        patch = LatticePatch(vectors, np.zeros(2), self.core + self.blend + spacing)
        radius, hole = (
            self.core + self.blend + halo(potential, crystal) + 12.0,
            self.core - longest_edge(vectors),
        )
        data = graded_disc(radius, growth=1.3, hole=hole - 0.4, patch=patch)
        law, depth = LAWS["cauchy-born"](potential, crystal), thickness(crystal, 2)
        bulk = Bulk(MPI.COMM_SELF, data, law, depth)
        basis = HomogeneousCrystal(potential, crystal) if self.relaxed else None
        return coupled_model(
            potential, crystal, mask, bulk, depth, internal_shift(potential, crystal), None, basis
        )

    @cached_property
    def scale(self) -> float:
        """Largest force constant × lattice constant, eV/Å."""
        hessian = reference_hessian(self.model.atomistic, self.crystal)
        return float(np.abs(hessian.getValuesCSR()[2]).max()) * self.crystal.a

    def residual(self, scheme: str, gradient: Array, reference: Array = REST) -> float:
        """In units of the scale."""
        found = SCHEMES[scheme](self.model, Reference(reference))
        g = found.model.vector()
        found.residual(found.model.unknowns(lambda x: x @ gradient.T), g)
        return found.model.block_norm(g) / self.scale

    def energy_error(self, gradient: Array) -> float:
        """Of `bgfc` about the crystal at rest, relative to W(F) times the area."""
        model = self.model
        q = model.unknowns(lambda x: x @ gradient.T)
        found = SCHEMES["bgfc"](model, Reference()).energy_gradient(q, model.vector()).total
        bulk: Any = model.bulk
        rim = bulk.node_coordinates()[bulk.tagged_dofs("outer")][:, :2]
        x, y = rim[np.argsort(np.arctan2(rim[:, 1], rim[:, 0]))].T
        area = 0.5 * abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
        density = (
            HomogeneousCrystal(self.potential, self.crystal).evaluate((np.eye(3) + gradient)[None]).energy[0]
        )
        return abs(found / (density * area * thickness(self.crystal, 2)) - 1.0)


def make_patch(name: str, relaxed: bool = False) -> Patch:
    structure, symbol, make = MATERIALS[name]
    potential = make()
    a = lattice_constant(potential, structure, symbol)
    diamond = structure == "diamond"
    crystal = make_crystal(structure, symbol, a, SILICON if diamond else None)
    return Patch(potential, crystal.cleavage_centred() if diamond else crystal, relaxed)


def rest_row(name: str, patch: Patch) -> dict[str, Any]:
    """At rest, and about the uniformly strained crystal (2 %), every scheme."""
    row: dict[str, Any] = {"crystal": name, "scale, eV/Å": patch.scale}
    for scheme in ("bgfc", "bqcf", "schwarz", "bqce", "sharp"):
        row[scheme] = patch.residual(scheme, REST)
    strained = 0.02 * UNIFORM
    row["bgfc at F0"] = patch.residual("bgfc", strained, strained)
    return row


def strain_rows(name: str, patch: Patch) -> list[dict[str, Any]]:
    """Forces of the force-based schemes under uniform strains; in a crystal with a basis by both shifts."""
    shifts = {"linear": patch}
    if len(patch.crystal.basis) > 1:
        shifts["relaxed"] = make_patch(name, relaxed=True)
    rows = []
    for shift, p in shifts.items():
        row: dict[str, Any] = {"crystal": name, "shift": shift}
        for scheme in ("bqcf", "schwarz"):
            for percent in (1, 3, 5):
                row[f"{scheme} {percent} %"] = p.residual(scheme, 0.01 * percent * UNIFORM)
        rows.append(row)
    return rows


def order_row(name: str, patch: Patch) -> dict[str, Any]:
    """`bgfc` about the crystal at rest: residual and relative error of the energy when the strain is halved."""
    row: dict[str, Any] = {"crystal": name}
    strains = (0.02, 0.01, 0.005)
    residuals = [patch.residual("bgfc", s * UNIFORM) for s in strains]
    errors = [patch.energy_error(s * UNIFORM) for s in strains]
    row |= {f"residual {100 * s:g} %": r for s, r in zip(strains, residuals)}
    row["order"] = float(np.log2(residuals[-2] / residuals[-1]))
    row |= {f"energy {100 * s:g} %": e for s, e in zip(strains, errors)}
    row["bqce residual 2 %"] = patch.residual("bqce", 0.02 * UNIFORM)
    return row


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(_shown(v) for v in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


TITLES = {
    "rest": "At rest, and `bgfc` about a crystal strained by 2 %",
    "strain": "Under uniform strain, Cauchy–Born law",
    "order": "`bgfc` about the crystal at rest, under uniform strain: residual, its order, error of the energy",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    found: dict[str, list[dict[str, Any]]] = {title: [] for title in TITLES}
    for name in ("triangular", "Stillinger-Weber") if quick else MATERIALS:
        patch = make_patch(name)
        found["rest"].append(rest_row(name, patch))
        found["strain"] += strain_rows(name, patch)
        found["order"].append(order_row(name, patch))
        print(f"{name}: {len(patch.model.atoms)} atoms, {patch.model.layout.n_global} unknowns", flush=True)
    text = "\n\n".join(f"{TITLES[key]}\n\n{table(rows)}" for key, rows in found.items())
    print(text)
    if quick:
        return
    unit = "Largest force on a free atom or node over (largest force constant × lattice constant). Core and blend 9 Å."
    path = RESULTS / "patch_test"
    path.with_suffix(".json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text(f"{unit}\n\n{text}\n")


if __name__ == "__main__":
    main()
