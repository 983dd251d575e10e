"""How ranks are divided between atoms and mesh."""

from __future__ import annotations

from dataclasses import dataclass

from multiscale.config.spec import item


@dataclass(frozen=True)
class ParallelConfig:
    atoms: int | None = item(
        "how many of the ranks share the atoms, the first ones; null: all", None, at_least=1
    )
    bulk: int | None = item(
        "how many of the ranks share the mesh, the last ones; null: all", None, at_least=1
    )
