"""How the work of a step is shared among ranks: strong and weak scaling, messages, memory.

    python benchmarks/scaling.py [--quick] [--ranks 1 2 ...] [--only coupled ...] [--rounds 20] [--starts 1]
                                [--memory]

Three problems, each on every number of ranks: `atoms` (energy and forces of a cube of silicon with the shipped
potential), `bulk` (energy and forces of a block of elements) and `coupled` (residual of the blended energy and one
preconditioned step, in a disc with a crack). Strong: the same problem; weak: one that grows with the ranks. One
thread per rank; wall times of the slowest rank, the least of several rounds. Before each message a rank waits for
others: `waiting` is that, imbalance; `exchange` what the message takes then. More ranks than cores tell only whether
the numbers agree (energy, norm of the forces), not how fast.

--memory: the largest coupled problem that this machine holds, and bytes per atom and per unknown.
The model of communication at the end of the table extrapolates the measured bytes and messages of a rank.
Writes benchmarks/results/scaling.json and .md.
"""

from __future__ import annotations

import argparse
import json
from math import log2
from pathlib import Path
from typing import Any

from mpi import CORES, on_ranks

RESULTS = Path(__file__).parent / "results"
WORKER = Path(__file__).with_name("scaling_worker.py")
SIZES = {"atoms": 4.0, "bulk": 24.0, "coupled": 6.0}
"""As scaling_worker.py has them."""
QUICK = {"atoms": 2.0, "bulk": 6.0, "coupled": 1.5}

LATENCY, BANDWIDTH = 2e-6, 10e9
"""s of a message and bytes/s between nodes, of an ordinary cluster network: assumptions of the model."""


def measured(kind: str, ranks: int, size: float, rounds: int, starts: int = 1) -> dict[str, Any]:
    """One worker's numbers on so many ranks, the fastest of several."""
    rows = [json.loads(on_ranks(ranks, WORKER, kind, size, rounds).splitlines()[-1]) for _ in range(starts)]
    return min(rows, key=lambda row: row["seconds"])


def scaling(
    kind: str, ranks: list[int], size: float, rounds: int, starts: int
) -> dict[str, list[dict[str, Any]]]:
    """Strong and weak, with the efficiency against one rank; None where there are more ranks than cores."""
    found: dict[str, list[dict[str, Any]]] = {"strong": [], "weak": []}
    for name, grown in (("strong", lambda n: size), ("weak", lambda n: size * n ** _POWER[kind])):
        for n in ranks:
            row = measured(kind, n, grown(n), rounds, starts)
            first = found[name][0] if found[name] else row
            ideal = first["seconds"] / (n if name == "strong" else 1)
            row["efficiency"] = ideal / row["seconds"] if n <= CORES else None
            found[name].append(row)
            print(kind, name, row, flush=True)
    return found


_POWER = {"atoms": 1 / 3, "bulk": 1 / 3, "coupled": 0.5}
"""How a length grows with the ranks so that the work of each stays the same."""


def agreement(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Largest relative difference from one rank."""
    one = rows[0]
    return {key: max(abs(row[key] - one[key]) / abs(one[key]) for row in rows) for key in ("energy", "norm")}


def halo_bytes(row: dict[str, Any], edge: float, faces: bool = False) -> float:
    """Out and back of a rank whose sites fill a cube of so many Å: 24 bytes each way for every atom in the shell around
    it as wide as the neighbour lists reach; faces: of one half of a cube, next to the other half only."""
    reach, site = row["reach"], row["site"]
    shell = reach * edge**2 if faces else (edge + 2.0 * reach) ** 3 - edge**3
    return 2.0 * 24.0 * shell / site


def extrapolated(row: dict[str, Any], atoms: float, ranks: float) -> dict[str, float]:
    """Each rank holds atoms / ranks in a cube: 26 neighbours, out and back; reductions take log2(ranks) messages; time
    per site as measured."""
    bytes_ = halo_bytes(row, (atoms / ranks * row["site"]) ** (1.0 / 3.0))
    compute = row["site_seconds"] * atoms / ranks
    messages = 2 * 26 + row["reductions"] * 2.0 * log2(ranks)
    exchange = messages * LATENCY + bytes_ / BANDWIDTH
    return {
        "ranks": ranks,
        "atoms": atoms,
        "bytes": bytes_,
        "messages": messages,
        "compute": compute,
        "exchange": exchange,
        "share": exchange / (compute + exchange),
    }


def table(found: dict[str, Any]) -> str:
    two = found["base"]
    lines = [
        "# Scaling over ranks",
        "",
        f"{CORES} cores, one thread per rank; ms per step, least of several.",
        "",
    ]
    for kind, both in found["problems"].items():
        for name, rows in both.items():
            lines += [
                f"## {kind}, {name}",
                "",
                "| ranks | sites | unknowns | ms | efficiency | exchange ms | waiting ms | kB out, back | messages |",
                "|---|---|---|---|---|---|---|---|---|",
            ]
            for r in rows:
                e = "" if r["efficiency"] is None else f"{100 * r['efficiency']:.0f} %"
                lines.append(
                    f"| {r['ranks']} | {r['atoms']} | {r['unknowns']} | {1e3 * r['seconds']:.2f} | {e} | "
                    f"{1e3 * r['exchange']:.2f} | {1e3 * r['waiting']:.2f} | {r['bytes'] / 1e3:.0f} | "
                    f"{r['messages']:.0f} |"
                )
            lines.append("")
        agree = agreement(both["strong"])
        lines += [
            f"Energy and norm of the forces agree to {agree['energy']:.1e} and {agree['norm']:.1e}.",
            "",
        ]
    lines += [
        "## Extrapolated",
        "",
        f"A message takes {LATENCY * 1e6:g} µs + bytes / {BANDWIDTH / 1e9:g} GB/s (assumed). A rank's atoms fill a",
        f"cube with 26 neighbours; it has copies of the shell around it, {two['reach']:.2f} Å wide, 24 bytes out and",
        "back for each.",
        f"On two ranks that shell has {halo_bytes(two, two['edge'], True) / 1e3:.0f} kB; measured "
        f"{two['bytes'] / 1e3:.0f} kB. Time per site as measured, {two['site_seconds'] * 1e6:.1f} µs.",
        "",
        "| ranks | atoms | MB out and back | compute s | exchange ms | share |",
        "|---|---|---|---|---|---|",
    ]
    for r in found["model"]:
        lines.append(
            f"| {r['ranks']:.0f} | {r['atoms']:.0e} | {r['bytes'] / 1e6:.2f} | {r['compute']:.3g} | "
            f"{1e3 * r['exchange']:.2f} | {100 * r['share']:.2g} % |"
        )
    if "memory" in found:
        lines += _memory_table(found["memory"])
    return "\n".join(lines) + "\n"


def _memory_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "",
        "## Memory",
        "",
        "Sizes as `scaling_worker.py` has them; GB of all ranks together, at the most.",
        "",
    ]
    lines += [
        "| problem | size | ranks | sites | unknowns | GB | building s | step s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        lines.append(
            f"| {r['kind']} | {r['size']:g} | {r['ranks']} | {r['atoms']} | {r['unknowns']} | {r['peak'] / 1e9:.2f} | "
            f"{r['building']:.0f} | {r['seconds']:.2g} |"
        )
    for kind, key in (("coupled", "atoms"), ("atoms", "atoms"), ("bulk", "unknowns")):
        a, b = [r for r in rows if r["kind"] == kind and r["ranks"] == 1][-2:]
        each = (b["peak"] - a["peak"]) / (b[key] - a[key])
        lines += ["", f"{kind}: {each / 1e3:.1f} kB more for each {'site' if key == 'atoms' else 'unknown'}."]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small problems; files named scaling_quick")
    parser.add_argument("--ranks", type=int, nargs="+", default=None, help="default: up to twice the cores")
    parser.add_argument(
        "--memory", action="store_true", help="grow the coupled problem until memory is short"
    )
    parser.add_argument(
        "--only", choices=SIZES, nargs="+", default=list(SIZES), help="problems; the others as recorded"
    )
    parser.add_argument(
        "--rounds", type=int, help="of which the least counts; more of them on a busy machine; default: 20"
    )
    parser.add_argument("--starts", type=int, default=1, help="of the workers, of which the fastest counts")
    args = parser.parse_args()
    ranks = args.ranks or list(range(1, (3 if args.quick else 2 * CORES) + 1))
    sizes, rounds = (QUICK, 3) if args.quick else (SIZES, 20)
    name = "scaling_quick" if args.quick else "scaling"
    recorded = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(recorded.read_text()) if recorded.exists() else {}
    problems = found.get("problems", {}) | {
        kind: scaling(kind, ranks, sizes[kind], args.rounds or rounds, args.starts) for kind in args.only
    }
    base = problems["atoms"]["strong"][min(1, len(ranks) - 1)]
    model = [extrapolated(base, n * 1e6, n) for n in (10.0, 100.0, 1000.0)] + [
        extrapolated(base, 1e6, 1000.0)
    ]
    base["edge"] = (base["atoms"] * base["site"]) ** (1.0 / 3.0)
    found |= {"cores": CORES, "problems": problems, "base": base, "model": model}
    if args.memory:
        found["memory"] = memory()
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(table(found))
    print(table(found))


def memory() -> list[dict[str, Any]]:
    """The coupled problem on one rank with a core that grows, and once on two; bulk alone, and atoms alone."""
    grown = [("coupled", size, 1) for size in (4.0, 8.0, 16.0, 32.0)] + [("coupled", 16.0, 2)]
    alone = [("atoms", size, 1) for size in (4.0, 8.0)] + [("bulk", size, 1) for size in (20.0, 40.0)]
    return [measured(kind, n, size, 1) | {"kind": kind, "size": size} for kind, size, n in grown + alone]


if __name__ == "__main__":
    main()
