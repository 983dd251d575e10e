"""A model under a mask: what the atoms weigh and what they leave over to the cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from coupling.atoms import AtomSet, thickness
from coupling.exchange import Halo
from coupling.model import Model
from coupling.regions import Mask
from coupling.term import Masked
from coupling.voronoi import cell_fraction, overlap_reach
from nnp.crystal import Crystal

Array = np.ndarray


def left_over(bulk: Any, crystal: Crystal, atoms: AtomSet, depth: float) -> Array:
    """v_T / |T| of each owned cell, (nc,). A vacant site belongs to the atomistic side as its neighbours do,
    an atom off the lattice takes no space. Collective."""
    points = np.concatenate([atoms.sites, atoms.vacant.points])
    table = np.column_stack(
        [
            points,
            np.concatenate([atoms.sublattice, atoms.vacant.sublattice]),
            np.concatenate([atoms.weights, atoms.vacant.weights]),
        ]
    )
    table, cells = table[(table[:, 4] > 0.0) & (table[:, 3] >= 0.0)], bulk.cell_geometry()
    centre, reach = overlap_reach(cells, crystal)
    halo = Halo.around(bulk.comm, table[:, :3], centre, reach, bulk.dim)
    near = halo.extended(table)
    fraction = cell_fraction(cells, crystal, near[:, :3], near[:, 3].astype(int), near[:, 4], depth)
    return np.where(np.abs(fraction) < 1e-6, 0.0, fraction)  # rounding where the atoms fill all


def remasked(model: Model, mask: Mask) -> Model:
    """The same atoms and mesh under another mask, which must be zero where the model's is (the atoms there lack
    neighbours)."""
    assert model.bulk is not None
    vacant = replace(model.atoms.vacant, weights=mask(model.atoms.vacant.points))
    atoms = replace(model.atoms, weights=mask(model.atoms.sites), vacant=vacant)
    fraction = left_over(model.bulk, model.crystal, atoms, thickness(model.crystal, model.bulk.dim))
    atomistic = replace(model.atomistic, atoms=atoms, weights=atoms.weights)
    bulk = model.bulk.with_fraction(fraction)
    terms = tuple(t.remasked(mask) if isinstance(t, Masked) else t for t in model.terms)
    return replace(model, atoms=atoms, atomistic=atomistic, bulk=bulk, mask=mask, terms=terms)
