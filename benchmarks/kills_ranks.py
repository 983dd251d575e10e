"""Runs on several ranks of which mpirun, or one rank, is killed (SIGKILL) at random moments, and gone on with.

    python benchmarks/kills_ranks.py            # 6 kills of the static run of kills.py on two ranks, some minutes
    python benchmarks/kills_ranks.py --quick    # one of each, and no more than two load steps

A run is left alone. Others are killed after a time drawn evenly from what it took after its first checkpoint, every
second one by its mpirun, the others by one of its ranks, all of which must be gone soon; then they go on with
--restart. Rounding depends on the order of sums, so ends are compared by their numbers: energies of all steps
(relative), positions and forces of all atoms. Writes benchmarks/results/kills_ranks.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from kills import RESULTS, STATIC, _wait_for
from mpi import environment

CASE = STATIC.replace("force_tolerance: 0.01 meV/Å", "force_tolerance: 1.0e-6 eV/Å")
CHECKPOINT = "restart.npz"


def start(case: Path, out: Path, ranks: int, *more: str) -> subprocess.Popen[bytes]:
    what = ["-m", "mpi4py", "-m", "multiscale", "run", str(case), "-o", str(out), *more]
    command = ["mpirun", "-n", str(ranks), sys.executable, *what]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=environment(ranks), stdout=quiet, stderr=quiet)


def finished(case: Path, out: Path, ranks: int, *more: str) -> float:
    """Run to the end; the seconds from the first checkpoint on. RuntimeError where it does not end well."""
    with start(case, out, ranks, *more) as process:
        _wait_for(out / CHECKPOINT, process)
        first, code = time.perf_counter(), process.wait()
    if code:
        raise RuntimeError(f"the run ended with {code} {' '.join(more)}")
    return time.perf_counter() - first


def killed(case: Path, out: Path, ranks: int, after: float, whom: str) -> float | None:
    """Seconds until all ranks were gone after the kill; None where the run had ended before."""
    with start(case, out, ranks) as process:
        _wait_for(out / CHECKPOINT, process)
        family = children(process.pid)
        try:
            process.wait(after)
            return None
        except subprocess.TimeoutExpired:
            pass
        os.kill(process.pid if whom == "mpirun" else family[-1], signal.SIGKILL)
        began = time.perf_counter()
        while any(alive(pid) for pid in (process.pid, *family)):
            if time.perf_counter() - began > 120.0:
                raise RuntimeError(f"ranks live on after their {whom} was killed")
            process.poll()
            time.sleep(0.05)
    return time.perf_counter() - began


def children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(path.parent.name))
    return sorted(found)


def alive(pid: int) -> bool:
    """Whether a process is at work, and not only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def difference(out: Path, whole: Path) -> dict[str, float]:
    """Of two ends: largest relative one of a step's energy, of positions (Å) and forces (eV/Å) of atoms."""
    a, b = (json.loads((folder / "result.json").read_text())["steps"] for folder in (whole, out))
    frames = [ase.io.read(folder / "atoms.extxyz", index=":") for folder in (whole, out)]
    if len(a) != len(b) or len(frames[0]) != len(frames[1]):
        raise RuntimeError(f"{len(b)} steps in place of {len(a)}")
    totals = [np.array([step["energy"]["total"] for step in steps]) for steps in (a, b)]
    pairs = list(zip(*frames, strict=True))
    return {
        "energy": float(np.abs(totals[1] / totals[0] - 1.0).max()),
        "positions": max(float(np.abs(x.positions - y.positions).max()) for x, y in pairs),
        "forces": max(float(np.abs(x.arrays["force"] - y.arrays["force"]).max()) for x, y in pairs),
    }


def table(rows: list[dict[str, Any]], ranks: int, plain: dict[str, float]) -> str:
    lines = [
        f"# Kills at random moments on {ranks} ranks",
        "",
        "| killed | s after its first checkpoint | whole steps then | all gone after, s | energy, relative | "
        "positions, Å | forces, eV/Å |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        found = " | ".join(f"{row[key]:.1e}" for key in ("energy", "positions", "forces"))
        lines.append(f"| {row['whom']} | {row['after']:.2f} | {row['steps']} | {row['gone']:.1f} | {found} |")
    two = ", ".join(f"{value:.1e}" for value in plain.values())
    end = f"Differences from the run that was left alone; another one that was left alone differs by {two}."
    return "\n".join([*lines, "", end])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two kills of a shorter run")
    parser.add_argument("--ranks", type=int, default=2, help="(default: 2)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: 1)")
    args = parser.parse_args()
    rng, rows = np.random.default_rng(args.seed), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case = folder / "static.yaml"
        case.write_text(CASE.replace("steps: 8", "steps: 2") if args.quick else CASE)
        seconds = finished(case, folder / "whole", args.ranks)
        finished(case, folder / "again", args.ranks)
        plain = difference(folder / "again", folder / "whole")
        while len(rows) < (2 if args.quick else 6):
            whom = ("mpirun", "one rank")[len(rows) % 2]
            after = float(rng.uniform(0.0, seconds))
            out = folder / f"{after:.6f}"
            gone = killed(case, out, args.ranks, after, whom)
            if gone is None:
                continue
            steps = len(json.loads((out / "result.json").read_text())["steps"])
            finished(case, out, args.ranks, "--restart")
            row = {"whom": whom, "after": after, "steps": steps, "gone": gone}
            rows.append({**row, **difference(out, folder / "whole")})
            print(rows[-1], flush=True)
    stem = "kills_ranks_quick" if args.quick else "kills_ranks"
    found = {"ranks": args.ranks, "left_alone": plain, "rows": rows}
    (RESULTS / f"{stem}.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / f"{stem}.md").write_text(table(rows, args.ranks, plain) + "\n")
    print(table(rows, args.ranks, plain))


if __name__ == "__main__":
    main()
