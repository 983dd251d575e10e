"""What a run watches for while it goes on, in the case file."""

from __future__ import annotations

from dataclasses import dataclass

from multiscale.config.spec import item

ACTIONS = ("stop", "warn", "off")


@dataclass(frozen=True)
class WatchConfig:
    explosion: str = item(
        "a force that grows beyond 1000 eV/Å, and ten times that of the start, while a step is relaxed",
        "stop",
        choices=ACTIONS,
    )
    stall: str = item(
        "100 iterations in which the largest force has not fallen by a tenth", "warn", choices=ACTIONS
    )
    lost_atoms: str = item(
        "a free atom that has no other one within the potential's cutoff", "stop", choices=ACTIONS
    )
    left_region: str = item(
        "a free atom that has gone beyond core and blend, where no atom can follow it",
        "warn",
        choices=ACTIONS,
    )
    penetration: str = item(
        "surfaces pressed into each other farther than what acts between them is known",
        "warn",
        choices=ACTIONS,
    )
    inversion: str = item("an element that is turned inside out", "stop", choices=ACTIONS)
