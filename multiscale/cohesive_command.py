"""`multiscale cohesive`: the law of an interface alone, with table, picture and figures."""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path
from typing import Any

from multiscale.config import Case, InputError
from multiscale.config.interfacing import COHESIVE_LAWS
from multiscale.ending import DONE, on_first_rank


def add_cohesive(commands: Any) -> argparse.ArgumentParser:
    cohesive = commands.add_parser(
        "cohesive",
        help="derive the cohesive law of a crystal's plane from the potential: table, picture, figures",
        description="Pulls two rigid half crystals of the case apart and slides them on the plane normal to y, and "
        "makes a law of it: law.json (for interface.law, and for other programs), table.csv, law.png. Prints the "
        "work of adhesion, strength, stacking energies and errors, and checks the law.",
        epilog="example: multiscale cohesive crack.yaml --law uber -o results/uber",
    )  # fmt: skip
    cohesive.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="output folder (default: results/CASE-law)"
    )
    cohesive.add_argument(
        "--law", metavar="NAME",
        help=f"{', '.join(COHESIVE_LAWS)}, or a law file (.json) to be looked at (default: the case's, or derive)",
    )  # fmt: skip
    cohesive.add_argument(
        "--relax", action="store_true",
        help="also slide with the atoms free to move along the normal, on the shortest way (a minute)",
    )  # fmt: skip
    cohesive.add_argument("--json", action="store_true", help="print JSON")
    return cohesive  # type: ignore[no-any-return]


def run_cohesive(case: Case, args: argparse.Namespace, comm: Any) -> int:
    """Rank 0 works; the others wait."""
    name = args.law or (case.interface.law if case.interface.law != "none" else "derive")
    if name not in COHESIVE_LAWS and not name.endswith(".json"):
        from multiscale.config.reading import near

        allowed = ", ".join(COHESIVE_LAWS)
        hint = near(name, COHESIVE_LAWS)
        raise InputError(
            "--law", f"must be one of {allowed}, or a law file (.json), got {name}{hint}", "command line"
        )
    if args.relax and (case.interface.upper is not None or name.endswith(".json")):
        raise InputError("--relax", "needs one crystal, and no law file", "command line")
    folder = args.output or Path("results") / f"{args.case.stem}-law"
    said = on_first_rank(comm, lambda: _made(case, name, folder, args.relax))
    if comm.rank == 0:
        _say(said, args)
    return DONE


def _made(case: Case, name: str, folder: Path, relax: bool) -> dict[str, Any]:
    from multiscale.build import make_material
    from multiscale.cohesive_law import derive, origin, rigid_law
    from multiscale.cohesive_report import add_relaxed, findings, report
    from multiscale.law_file import read_law

    material = make_material(case)
    if name.endswith(".json"):
        law, header = read_law(name, "--law")
        found = report(law, case, material, None)
        return {"law": name, "source": header.get("source", {}), **found, "warnings": findings(found, case)}
    source = derive(case, material, members=True)
    law = rigid_law(name, source.table)
    found = report(law, case, material, source)
    if relax:
        add_relaxed(found["figures"], material, source.table)
    periods = {"periods": source.table.cell.tolist()}  # of sliding, (2, 2) Å: fitted laws do not hold them
    header = {"title": case.title, "source": origin(case, material) | periods, **found}
    _write(folder, law, source, header)
    return {"law": name, "folder": str(folder), **header, "warnings": findings(found, case)}


def _write(folder: Path, law: Any, source: Any, header: dict[str, Any]) -> None:
    from multiscale.cohesive_plot import plot_law, pure_opening
    from multiscale.cohesive_report import table_rows
    from multiscale.files import write_atomically
    from multiscale.law_file import write_law

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_law(law, folder / "law.json", header)
        names, rows = table_rows(law, source.table, source.members)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([names, *([f"{v:.9g}" for v in row] for row in rows)])
        write_atomically(folder / "table.csv", text.getvalue())
        plot_law(law, header, folder / "law.png", pure_opening(names, rows))
    except OSError as error:
        raise InputError("", f"cannot write to {folder}: {error.strerror}", "command line") from None


def _say(said: dict[str, Any], args: argparse.Namespace) -> None:
    from multiscale.tables import print_mapping

    if args.json:
        print(json.dumps(said, indent=1, ensure_ascii=False))
        return
    shown = {"law": said["law"], **said["figures"], "errors": said["errors"], "checks": said["checks"]}
    print_mapping(args.case.name, {k: v for k, v in shown.items() if v != {}})
    for line in said["warnings"]:
        print(f"warning: {line}")
    if "folder" in said:
        print(f"written: {said['folder']}/law.json, table.csv, law.png")
