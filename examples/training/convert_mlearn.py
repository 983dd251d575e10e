"""The silicon data of Zuo et al. (2020) as extended XYZ: python convert_mlearn.py training.json Si.xyz"""

import json
import sys

import ase.io
import numpy as np
from ase import Atoms

KBAR = 1.0 / 1602.1766208  # eV/Å³


def convert(entry: dict) -> Atoms:
    """One entry: energy eV, forces eV/Å, stress eV/Å³ (xx yy zz yz xz xy, tension positive)."""
    structure, labels = entry["structure"], entry["outputs"]
    symbols = [site["species"][0]["element"] for site in structure["sites"]]
    positions = [site["xyz"] for site in structure["sites"]]
    atoms = Atoms(symbols, positions, cell=structure["lattice"]["matrix"], pbc=True)
    atoms.info.update(
        REF_energy=labels["energy"], config_type=entry["group"], description=entry["description"]
    )
    atoms.arrays["REF_forces"] = np.asarray(labels["forces"])
    if entry["group"] != "Surface":  # what the slabs' six numbers mean cannot be decided
        xx, yy, zz, xy, a, b = labels["virial_stress"]  # kbar, pressure positive
        yz, xz = (b, a) if entry["group"] in ("AIMD-NVT", "Vacancy") else (a, b)  # the order is not the same
        atoms.info["REF_stress"] = [-KBAR * s for s in (xx, yy, zz, yz, xz, xy)]
    return atoms


if __name__ == "__main__":
    source, target = sys.argv[1:]
    with open(source) as file:
        ase.io.write(target, [convert(entry) for entry in json.load(file)], format="extxyz")
