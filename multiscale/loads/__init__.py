"""Loads: what is done to the domain from outside. One file each, one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from coupling.model import Field, Model
from coupling.term import Term
from multiscale.loads.indent import Indent
from multiscale.loads.k_field import KField
from multiscale.loads.opening import Opening
from multiscale.loads.strain import Strain
from multiscale.loads.tip import Tip


class Load(Protocol):
    """A family of displacement fields with one parameter.

    name: of the parameter, as written to the results; dimension: of the parameter, a key of
    multiscale.config.quantities.DIMENSIONS, "" for a pure number; values: the parameter's values on the way up;
    floor: go back in the same steps afterwards down to this, None: do not; advance: turn when the crack has grown by
    this much, Å.
    """

    name: str
    dimension: str
    values: tuple[float, ...]
    floor: float | None
    advance: float | None

    def field(self, value: float) -> Field:
        """Displacement at reference points, (n, 3) Å → (n, 3) Å; linear in `value`."""
        ...

    def terms(self, model: Model) -> tuple[Term, ...]:
        """What the load adds to the energy of a model; those of coupling.term.Driven follow the value."""
        ...


LOADS: dict[str, Callable[..., Any]] = {
    "k-field": KField,
    "strain": Strain,
    "indent": Indent,
    "opening": Opening,
    "tip": Tip,
}
"""By the `type` of the case's load; each is called with (its config, the material's constants, the geometry's
config)."""
