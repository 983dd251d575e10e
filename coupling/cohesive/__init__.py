"""Cohesive laws: potentials of the jump across an interface, derived from an interatomic potential or fitted."""

from __future__ import annotations

from coupling.cohesive.law import CohesiveLaw, Response
from coupling.cohesive.uber import Uber

LAWS: dict[str, type] = {"uber": Uber}
"""Laws by name, as the case file knows them."""

__all__ = ["LAWS", "CohesiveLaw", "Response", "Uber"]
