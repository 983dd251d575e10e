"""Runs killed (SIGKILL) at random moments and gone on with, again and again: each must end as if nothing had been.

    python benchmarks/kills.py            # 20 kills in static, cohesive and training runs, some minutes
    python benchmarks/kills.py --quick    # one of each

A run of each kind is left alone. Then each is begun anew, killed after a time drawn evenly from what the first took,
every second one after its first checkpoint, and gone on with (--restart, of a training --resume; begun again where the
kill came before there was anything to go on with). At the end all files but the log and the times that were taken are
compared byte by byte.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase.build import bulk

from nnp.analytic.stillinger_weber import StillingerWeber
from nnp.evaluate import evaluate
from nnp.neighbors import find_pairs
from nnp.state import State

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"

STATIC = """
title: a crack in silicon
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber, parameters: {strength: 42}}
geometry: {shape: disc, radius: 8 nm, crack: {tip: [0.1 nm, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 1.8 nm, adaptive: true}, blend: 0.9 nm}
load: {type: k-field, K: {from: 1.4, to: 1.7, steps: 8, unit: K_G}}
solver: {force_tolerance: 0.01 meV/Å}
output: {pictures: false}
"""
COHESIVE = """
title: a crack in a mesh of argon, with damage
crystal: {structure: fcc, symbol: Ar, orientation: {x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1]}}
potential: {type: lennard-jones, parameters: {epsilon: 0.1, sigma: 2.4, cutoff: 6.0, symbol: Ar}}
geometry: {shape: disc, radius: 5 nm, crack: {tip: [-0.9 nm, 0], plane: y}}
continuum: {law: linear, mesh: {interface_h: 3 Å, interface_length: 2 nm}}
coupling: {scheme: continuum}
interface: {law: uber, irreversible: true, grid: {openings: 16, sliding: 0.6 Å}}
load: {type: k-field, K: {from: 1.2, to: 1.4, steps: 5, unit: K_G, return: true, return_to: 1.2}}
output: {pictures: false}
"""
TRAINING = """
model: {cutoff: 4.2, radial: 6, channels: 4, degree: 2, three_body: 4, many_body: 2, hidden: [8]}
data: {validation: 0.25}
optimiser: {epochs: 80, batch: 2, warm_up: 4, average: 0.9}
checkpoint_every: 1
"""


@dataclass(frozen=True)
class Kind:
    """A kind of run: how it is begun and gone on with in a folder, and what it leaves behind there."""

    name: str
    command: tuple[str, ...]
    again: str
    checkpoint: str

    def start(self, out: Path, go_on: bool) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *self.command, "-o", str(out), *([self.again] if go_on else [])]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)


def kinds(folder: Path) -> list[Kind]:
    """Cases and training data, written into a folder."""
    for name, text in (("static", STATIC), ("cohesive", COHESIVE), ("training", TRAINING)):
        (folder / f"{name}.yaml").write_text(text)
    ase.io.write(folder / "silicon.xyz", crystals(), format="extxyz")
    training = ("nnp", "train", str(folder / "training.yaml"), "--data", str(folder / "silicon.xyz"))
    return [
        Kind("static", ("multiscale", "run", str(folder / "static.yaml")), "--restart", "restart.npz"),
        Kind("cohesive", ("multiscale", "run", str(folder / "cohesive.yaml")), "--restart", "restart.npz"),
        Kind("training", training, "--resume", "checkpoint.safetensors"),
    ]


def crystals() -> list[Any]:
    """Strained and rattled silicon, labelled by Stillinger–Weber."""
    potential, rng, frames = StillingerWeber(), np.random.default_rng(0), []
    for k in range(24):
        atoms = bulk("Si", "diamond", 5.43, cubic=True)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(0, 0.02, (3, 3))), scale_atoms=True)
        atoms.rattle(0.1, seed=k)
        state = State.from_ase(atoms)
        found = evaluate(potential, state, find_pairs(state, potential.cutoff))
        atoms.info["REF_energy"], atoms.arrays["REF_forces"] = found.energy, found.forces.numpy()
        frames.append(atoms)
    return frames


def finished(kind: Kind, out: Path, go_on: bool) -> tuple[float, float]:
    """Run to the end; the seconds that it took, and those from its first checkpoint on. RuntimeError where it does not
    end well."""
    began = time.perf_counter()
    with kind.start(out, go_on) as process:
        _wait_for(out / kind.checkpoint, process)
        first, code = time.perf_counter(), process.wait()
    if code:
        raise RuntimeError(f"the {kind.name} run ended with {code}" + (" when it went on" if go_on else ""))
    return time.perf_counter() - began, time.perf_counter() - first


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Until there is a file, or the process has ended."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.005)


def killed(kind: Kind, out: Path, after: float, begun: bool) -> bool:
    """Whether the run was still at work so many seconds after its start, or its first checkpoint, when it was
    killed."""
    with kind.start(out, False) as process:
        if begun:
            _wait_for(out / kind.checkpoint, process)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
    return False


def ends(out: Path) -> dict[str, Any]:
    """What a run leaves behind, by file, without times and the log."""
    left: dict[str, Any] = {}
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        name = str(path.relative_to(out))
        if name == "result.json":
            left[name] = _without_times(json.loads(path.read_text()))
        elif path.suffix == ".csv":
            left[name] = [_without_times(row) for row in csv.DictReader(path.open())]
        elif path.suffix == ".npz":
            with np.load(path) as data:
                left[name] = {k: data[k].tobytes() for k in data.files}
        elif not name.startswith("log") and path.suffix not in (".png", ".html"):
            left[name] = path.read_bytes()
    return left


def _without_times(data: Any) -> Any:
    if isinstance(data, dict):
        times = ("seconds", "started", "timings")
        return {k: _without_times(v) for k, v in data.items() if k not in times}
    return [_without_times(v) for v in data] if isinstance(data, list) else data


def kill_and_go_on(
    kind: Kind, folder: Path, whole: dict[str, Any], after: float, begun: bool
) -> dict[str, Any]:
    """One kill: when, after how many whole steps or epochs, and which files differ at the end."""
    out = folder / f"{kind.name}-{after:.6f}"
    was_killed = killed(kind, out, after, begun)
    steps = _steps(out)
    finished(kind, out, (out / "case.yaml").exists() or (out / kind.checkpoint).exists())
    found = ends(out)
    different = sorted(name for name in whole.keys() | found.keys() if whole.get(name) != found.get(name))
    since = "first checkpoint" if begun else "start"
    known = {"kind": kind.name, "after": after, "since": since, "killed": was_killed}
    return {**known, "steps": steps, "different": different}


def _steps(out: Path) -> int:
    """Whole steps, or epochs, at a kill."""
    if (out / "result.json").exists():
        return len(json.loads((out / "result.json").read_text())["steps"])
    if (out / "checkpoint.safetensors").exists():
        from nnp.storage import read_model

        return int(read_model(out / "checkpoint.safetensors")[0]["epoch"])
    return 0


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| run | killed, s | after its | whole steps or epochs then | ends alike |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        alike = "yes" if not row["different"] else "no: " + ", ".join(row["different"])
        lines.append(f"| {row['kind']} | {row['after']:.2f} | {row['since']} | {row['steps']} | {alike} |")
    alike = sum(not row["different"] for row in rows)
    return "\n".join([*lines, "", f"{len(rows)} kills, {alike} ends as of the run that was left alone."])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one kill of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: 1)")
    args = parser.parse_args()
    rng, rows = np.random.default_rng(args.seed), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        every = kinds(folder)
        whole, seconds = {}, {}
        for kind in every:
            seconds[kind.name] = finished(kind, folder / kind.name, False)
            whole[kind.name] = ends(folder / kind.name)
        count = 3 if args.quick else 20
        while len(rows) < count:
            kind = every[len(rows) % 3]
            begun = len(rows) % 2 == 1
            after = float(rng.uniform(0.0, seconds[kind.name][begun]))
            row = kill_and_go_on(kind, folder, whole[kind.name], after, begun)
            if row["killed"]:  # else it was through before
                rows.append(row)
                print(table([row]).splitlines()[2], flush=True)
    stem = "kills_quick" if args.quick else "kills"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{stem}.json").write_text(json.dumps(rows, indent=1) + "\n")
    (RESULTS / f"{stem}.md").write_text(f"# Kills at random moments\n\n{table(rows)}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
