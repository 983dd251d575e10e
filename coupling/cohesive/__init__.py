"""Cohesive laws: potentials of the jump across an interface, derived from an interatomic potential or fitted."""

from __future__ import annotations

from coupling.cohesive.bicrystal import bicrystal_halves
from coupling.cohesive.compliance import Subtracted, layer_compliance
from coupling.cohesive.derived import Derived
from coupling.cohesive.halves import Halves, halves
from coupling.cohesive.law import CohesiveLaw, Response
from coupling.cohesive.ppr import PPR
from coupling.cohesive.renormalised import in_series, renormalised
from coupling.cohesive.table import Grid, Table, derive_table
from coupling.cohesive.uber import Uber
from coupling.cohesive.xu_needleman import XuNeedleman

LAWS: dict[str, type] = {"derive": Derived, "ppr": PPR, "uber": Uber, "xu-needleman": XuNeedleman}
"""Laws by name, as the case file knows them. Each has `fit(table)`, the law of a table of rigid openings."""

__all__ = [
    "LAWS",
    "PPR",
    "CohesiveLaw",
    "Derived",
    "Grid",
    "Halves",
    "Response",
    "Subtracted",
    "Table",
    "Uber",
    "XuNeedleman",
    "bicrystal_halves",
    "derive_table",
    "halves",
    "in_series",
    "layer_compliance",
    "renormalised",
]
