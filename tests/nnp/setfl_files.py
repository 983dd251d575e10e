"""Embedded-atom tables in the setfl format, of two made-up metals with smooth functions."""

from pathlib import Path

import numpy as np

from tests.nnp.n2p2_files import SCRATCH

CUTOFF = 6.0
METALS = {"Al": (13, 26.98, 2.86, 1.8), "Cu": (29, 63.55, 2.55, 2.2)}  # number, mass, bond, decay


def end(r):
    """1 to 0 between 4 Å and the cutoff, with three vanishing derivatives."""
    t = np.clip((r - 4.0) / (CUTOFF - 4.0), 0.0, 1.0)
    return 1.0 - t**4 * (35.0 - 84.0 * t + 70.0 * t**2 - 20.0 * t**3)


def density(metal, r):
    _, _, bond, decay = METALS[metal]
    return np.exp(-decay * (r - bond)) / 12.0 * end(r)


def embedding(metal, rho):
    return -METALS[metal][3] * rho * (1.5 - 0.4 * rho)


def pair(one, two, r):
    bond = 0.5 * (METALS[one][2] + METALS[two][2])
    bend = np.exp(-1.6 * (r - bond))
    return 0.15 * (bend * bend - 1.2 * bend) * end(r)


def write_setfl(path: Path, metals=("Al", "Cu"), n=3000) -> Path:
    rho, r = np.linspace(0.0, 30.0, n), np.linspace(0.0, CUTOFF, n)
    words = [f"{len(metals)} {' '.join(metals)}", f"{n} {rho[1]:.17g} {n} {r[1]:.17g} {CUTOFF}"]

    def column(values):
        words.extend(f"{v:.17g}" for v in values)

    for metal in metals:
        words.append(f"{METALS[metal][0]} {METALS[metal][1]} 4.0 fcc")
        column(embedding(metal, rho))
        column(density(metal, r))
    for i, one in enumerate(metals):
        for two in metals[: i + 1]:
            column(r * pair(one, two, r))
    path.write_text("made up\nfor\ntests\n" + "\n".join(words) + "\n")
    return path


def made_up_alloy() -> Path:
    """One file for all tests of this process."""
    path = SCRATCH / "AlCu.eam.alloy"
    return path if path.is_file() else write_setfl(path)
