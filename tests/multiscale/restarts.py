"""Run by test_restart.py: `restarts.py FOLDER NAME` goes on with cases by one step, on any number of ranks."""

import os
import signal
import sys
from pathlib import Path

from mpi4py import MPI

from multiscale.cli import main
from multiscale.recording import Recorder

STRIP = """
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm}
regions: {core: {shape: disc, radius: 1 nm}, blend: 1 nm}
load: {type: strain, gradient: [[0.01, 0, 0], [0.002, 0, 0], [0, 0, 0]], steps: 4}
"""
MOVING = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber, parameters: {strength: 42}}
geometry: {shape: disc, radius: 7 nm, crack: {tip: [0.1 nm, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1.8 nm, adaptive: true}, blend: 0.9 nm}
load: {type: k-field, K: {from: 1.65, to: 1.71, steps: 4, unit: K_G}}
"""
OPENING = """
crystal: {structure: fcc, symbol: Ar, orientation: {x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1]}}
potential: {type: lennard-jones, parameters: {epsilon: 0.1, sigma: 2.4, cutoff: 6.0, symbol: Ar}}
geometry: {shape: disc, radius: 4 nm, crack: {tip: [-0.9 nm, 0], plane: y}}
continuum: {law: linear, mesh: {interface_h: 3 Å, interface_length: 1.6 nm}}
coupling: {scheme: continuum}
interface: {law: uber, irreversible: true, grid: {openings: 16, sliding: 0.6 Å}}
load: {type: k-field, mode: I, K: {from: 1.4, to: 1.44, steps: 2, unit: K_G, return: true, return_to: 1.36}}
"""
PATH = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm, crack: {tip: [0.1 nm, 0 nm], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1.2 nm}, blend: 0.8 nm}
continuum: {law: linear, mesh: {growth: 1.3}}
load: {type: k-field, mode: I, K: {from: 0.60, to: 0.59, steps: 2, unit: K_G}}
solver: {path: arc-length, arc: {first: 0.1, points: 7}}
"""
CASES = {"strip": (STRIP, 1), "moving": (MOVING, 1), "opening": (OPENING, 1), "path": (PATH, 4)}
"""Case files, and after how many steps they are stopped for the first time."""

END = "\nsolver: {force_tolerance: 1.0e-6 eV/Å}\noutput: {pictures: false}\n"
"""Equilibrium to so little that two ways to it agree in their energies to rounding."""


def stopped(*arguments: str) -> int:
    """The command line, sent a SIGTERM when it has recorded a step."""
    whole = Recorder.record

    def record(recorder, stepper, step, total):
        whole(recorder, stepper, step, total)
        if step.number >= FIRST and MPI.COMM_WORLD.rank == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    Recorder.record = record
    try:
        return main([*arguments])
    finally:
        Recorder.record = whole


FIRST = 1


def a_step_more(name: str) -> None:
    """Go on with each case by one step, at first to the step at which it is to be stopped."""
    global FIRST
    for case, (_, first) in CASES.items():
        FIRST, out = first, f"{case}-{name}"
        assert (
            stopped("run", f"{case}.yaml", "-o", out, *(["--restart"] if Path(out).exists() else [])) == 143
        )


def write(folder: Path) -> None:
    for name, (text, _) in CASES.items():
        end = END.replace("solver: {", "solver: {path: arc-length, arc: {first: 0.1, points: 7}, ")
        ending = end if "solver" in text else END
        (folder / f"{name}.yaml").write_text(text.split("solver:")[0] + ending)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    a_step_more(sys.argv[2])
