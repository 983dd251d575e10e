"""`multiscale material`: what a potential says of its crystal, beside reference figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from multiscale.config import InputError
from multiscale.ending import DONE


def add_material(commands: Any) -> None:
    material = commands.add_parser(
        "material",
        help="lattice, elasticity, surfaces, decohesion, stacking, phonons, vacancy of a potential",
        description="What a potential says of its crystal, beside reference figures: lattice constant, cohesive "
        "energy, elastic constants, surface energies, Griffith K, rigid separation, stacking energies of (111), "
        "phonons, vacancy.",
        epilog="example: multiscale material si --reference my-figures.yaml -o si.json",
    )
    material.add_argument(
        "potential",
        metavar="MODEL",
        help="a kind of potential, a model's name or path, a folder of n2p2, a setfl file, or several of these "
        "with commas between (a committee)",
    )
    material.add_argument("--structure", help="kind of lattice (default: that of the element)")
    material.add_argument("--symbol", action="append", help="element (default: the potential's first)")
    material.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="overrides",
        help="a parameter of an analytic potential; repeat for more",
    )  # fmt: skip
    material.add_argument(
        "--reference", metavar="FILE",
        help="figures to compare with, YAML or JSON with the names that --json prints; 'none' for none "
        "(default: the shipped table of silicon, where it fits)",
    )  # fmt: skip
    material.add_argument(
        "--full", action="store_true", help="stacking energies of relaxed atoms too (a minute)"
    )
    material.add_argument("--json", action="store_true", help="print JSON, with curves and sources")
    material.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the JSON to a file as well"
    )
    _add_fit(material)
    material.set_defaults(command=run_material)


def _add_fit(material: Any) -> None:
    fit = material.add_argument_group(
        "a law for the continuum",
        "instead of the figures, a neural law for `continuum: {law: neural, model: FILE}`",
    )
    fit.add_argument(
        "--fit-law", type=Path, metavar="FILE", help="fit one to the potential and write it to FILE"
    )
    fit.add_argument(
        "--fit-law-from", type=Path, metavar="CSV",
        help="fit it to measured strains and stresses instead: columns E_xx E_yy E_zz E_yz E_xz E_xy (Green-Lagrange) "
        "and any of S_xx … S_xy (second Piola-Kirchhoff, GPa), W (energy density, GPa), in the crystal's cubic axes",
    )  # fmt: skip
    fit.add_argument(
        "--elastic", default="potential", metavar="WHICH",
        help="elastic constants of a law from a CSV: potential (default), fitted, or C11,C12,C44 in GPa",
    )  # fmt: skip


def run_material(args: argparse.Namespace, comm: Any) -> int:
    from multiscale.files import write_atomically
    from multiscale.tables import print_report
    from nnp.observables import report
    from nnp.reference import compared

    potential = _potential(args)
    symbols = _symbols(args, potential)
    structure = args.structure or _structure(symbols[0])
    if args.fit_law is not None or args.fit_law_from is not None:
        return _fit_law(args, comm, potential, structure, symbols)
    table = _reference(args)
    if args.reference is None and (structure != "diamond" or symbols != ["Si"]):
        table = {}
    try:
        found = report(potential, structure, symbols[0] if len(symbols) == 1 else symbols, full=args.full)
    except ValueError as error:
        raise InputError(args.potential, str(error)) from error
    try:
        found = compared(found, table)
    except ValueError as error:
        raise InputError("", str(error), str(args.reference or "")) from error
    text = json.dumps(found, indent=1, ensure_ascii=False)
    if comm.rank:
        return DONE
    if args.output is not None:
        try:
            write_atomically(args.output, text + "\n")
        except OSError as error:
            message = f"cannot write {args.output}: {error.strerror}"
            raise InputError("", message, "command line") from None
    if args.json:
        print(text)
    else:
        print_report(args.potential, found)
    return DONE


def _fit_law(args: argparse.Namespace, comm: Any, potential: Any, structure: str, symbols: list[str]) -> int:
    from multiscale.fitting import fit_law
    from multiscale.tables import print_mapping

    if args.fit_law is None:
        raise InputError("--fit-law-from", "needs --fit-law FILE, the file to write", "command line")
    if comm.rank:
        return DONE
    one = symbols[0] if len(symbols) == 1 else symbols
    try:
        found = fit_law(potential, structure, one, args.fit_law, args.fit_law_from, args.elastic)
    except ValueError as error:
        raise InputError(args.potential, str(error)) from error
    if args.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        print_mapping(args.potential, found)
    return DONE


def _potential(args: argparse.Namespace) -> Any:
    from multiscale.capacity import check_reach
    from multiscale.config.loading import apply_override
    from nnp.registry import POTENTIALS, make_potential, named_potential

    parameters: dict[str, Any] = {}
    for override in args.overrides:
        apply_override(parameters, override)
    if "type" in parameters:
        raise InputError("type", "is the argument MODEL, no parameter", "command line")
    try:
        if args.potential in POTENTIALS:
            made = make_potential(args.potential, **parameters)
            check_reach(made)
            return made
        if parameters:
            raise ValueError("--set changes the parameters of a kind of potential, and this names none")
        return named_potential(args.potential)
    except (ValueError, OSError) as error:
        known = args.potential in POTENTIALS
        more = "" if known else f"; kinds of potential: {', '.join(k for k in POTENTIALS if k != 'nnp')}"
        raise InputError(args.potential, f"{error}{more}") from error


def _reference(args: argparse.Namespace) -> dict[str, Any]:
    from nnp.reference import read_reference

    if args.reference == "none":
        return {}
    try:
        return read_reference(args.reference or "si")
    except ValueError as error:
        raise InputError("--reference", str(error), "command line") from error


def _symbols(args: argparse.Namespace, potential: Any) -> list[str]:
    from ase.data import atomic_numbers, chemical_symbols

    for symbol in args.symbol or ():
        if symbol not in atomic_numbers:
            raise InputError("--symbol", f"'{symbol}' is no chemical element", "command line")
    return args.symbol or [chemical_symbols[potential.numbers[0]]]


def _structure(symbol: str) -> str:
    """The lattice that an element has by itself, where it is one of ours; diamond otherwise."""
    from ase.data import atomic_numbers, reference_states

    from nnp.crystal import STRUCTURES

    natural = (reference_states[atomic_numbers[symbol]] or {}).get("symmetry")
    return natural if natural in STRUCTURES else "diamond"
