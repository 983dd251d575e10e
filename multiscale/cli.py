"""The command `multiscale`."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from multiscale.atoms_command import add_atoms
from multiscale.cohesive_command import add_cohesive
from multiscale.completion_command import add_completion
from multiscale.config import Case, InputError
from multiscale.doctor import add_doctor
from multiscale.ending import DONE, end
from multiscale.material_command import add_material
from multiscale.plot_command import add_plot
from multiscale.threads import set_threads
from nnp.access import usable_caches

_EXAMPLES = """\
examples:
  multiscale init fracture -o crack.yaml         a commented case to start from
  multiscale check crack.yaml                    what it would take, without running
  multiscale run crack.yaml                      results in results/crack
  mpirun -n 4 multiscale run crack.yaml -o out   the same on four ranks
  multiscale run crack.yaml -o ref --set coupling.scheme=atomistic
  multiscale cohesive crack.yaml                 the cohesive law of its plane, from the potential alone
  multiscale compare out ref                     errors of the first against the second
  multiscale plot out --animation gif            its pictures again, or a film

exit codes: 0 done; 1 failed, traceback in the log file; 2 the input is wrong; 3 not converged, or stopped by
potential.trust or solver.watch, results kept; 130 Ctrl-C, 143 SIGTERM: the last whole step is kept, --restart goes
on from it, on any number of ranks
"""


class _Parser(argparse.ArgumentParser):
    """Says errors from one rank only."""

    def error(self, message: str) -> NoReturn:
        if _communicator().rank == 0:
            self.print_usage(sys.stderr)
            print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(2)


class _Version(argparse.Action):
    def __call__(self, *unused: Any, **more: Any) -> NoReturn:
        from multiscale.versions import stack

        print("\n".join(f"{name} {version}" for name, version in stack().items()))
        raise SystemExit(0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code."""
    try:
        args = parser().parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    comm = _communicator()
    moved = usable_caches()
    if moved and comm.rank == 0:
        print(moved, file=sys.stderr)
    signal = comm.Dup() if comm.size > 1 else None
    if comm.size > 1:
        set_threads(comm)
    try:
        return args.command(args, comm)
    except (Exception, KeyboardInterrupt) as error:
        folder = getattr(args, "folder", None)
        running = hasattr(args, "restart") and folder is not None and os.path.isfile(folder / "restart.npz")
        return end(comm, signal, error, folder, running)


def parser() -> argparse.ArgumentParser:
    top = _Parser(
        prog="multiscale",
        description="Atoms where they matter, finite elements everywhere else: fracture and contact of crystals.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="versions of this program and of its stack")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    _add_compare(commands)
    add_plot(commands)
    _add_cohesive(commands)
    _add_atoms(commands)
    add_material(commands)
    _add_init(commands)
    add_doctor(commands)
    add_completion(commands, top)
    schema = commands.add_parser("schema", help="print the JSON schema of the case file, for editors")
    schema.set_defaults(command=_schema)
    return top


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="run a case")
    _add_case(run)
    run.add_argument("-o", "--output", type=Path, metavar="DIR", help="output folder (default: results/CASE)")
    run.add_argument(
        "--restart", action="store_true", help="go on where the run in the output folder stopped"
    )
    run.add_argument("--force", action="store_true", help="overwrite a finished run of another case")
    run.set_defaults(command=_run)


def _add_check(commands: Any) -> None:
    check = commands.add_parser("check", help="validate a case and print what it would take, without running")
    _add_case(check)
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(command=_check)


def _add_cohesive(commands: Any) -> None:
    cohesive = add_cohesive(commands)
    _add_case(cohesive)
    cohesive.set_defaults(command=_cohesive)


def _add_atoms(commands: Any) -> None:
    atoms = add_atoms(commands)
    _add_case(atoms)
    atoms.set_defaults(command=_atoms)


def _add_case(command: Any) -> None:
    command.add_argument("case", type=Path, metavar="CASE.yaml")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE", dest="overrides",
        help="change a value of the case, for example --set regions.core.radius=3nm; repeat for more",
    )  # fmt: skip


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser("compare", help="errors of run A against reference run B, atom by atom")
    compare.add_argument("run", type=Path, metavar="DIR_A")
    compare.add_argument("reference", type=Path, metavar="DIR_B")
    compare.add_argument(
        "--near", default="1 nm", metavar="LENGTH", help="radius around the crack tip (default: 1 nm)"
    )
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.set_defaults(command=_compare)


def _add_init(commands: Any) -> None:
    from multiscale.config.template import TEMPLATES

    init = commands.add_parser("init", help="write a commented case file to start from")
    init.add_argument("kind", choices=TEMPLATES)
    init.add_argument("-o", "--output", type=Path, metavar="FILE", help="file (default: the screen)")
    init.add_argument("--force", action="store_true", help="overwrite the file")
    init.set_defaults(command=_init)


def _communicator() -> Any:
    try:
        from mpi4py import MPI
    except ImportError:  # `multiscale doctor` says what to do
        from multiscale.doctor import Alone

        return Alone()
    return MPI.COMM_WORLD


def _read(args: argparse.Namespace, comm: Any) -> Case:
    from multiscale.api import read

    return read(args.case, args.overrides, comm)


def _run(args: argparse.Namespace, comm: Any) -> int:
    from multiscale.api import perform
    from multiscale.folder import default_folder

    case = _read(args, comm)
    args.folder = args.output or default_folder(args.case)
    return perform(case, args.folder, comm, restart=args.restart, force=args.force, name=args.case.name)


def _check(args: argparse.Namespace, comm: Any) -> int:
    case = _read(args, comm)
    from multiscale.planning import plan

    try:
        found = plan(case, comm)
    except InputError as error:
        raise error.at(args.case.name) from None
    _show(comm, case.title or args.case.name, found, args.json)
    return DONE


def _cohesive(args: argparse.Namespace, comm: Any) -> int:
    from multiscale.cohesive_command import run_cohesive

    case = _read(args, comm)
    try:
        return run_cohesive(case, args, comm)
    except InputError as error:
        raise error.at(args.case.name) from None


def _atoms(args: argparse.Namespace, comm: Any) -> int:
    from multiscale.atoms_command import run_atoms

    case = _read(args, comm)
    try:
        return run_atoms(case, args, comm)
    except InputError as error:
        raise error.at(args.case.name) from None


def _compare(args: argparse.Namespace, comm: Any) -> int:
    from multiscale.compare import compare
    from multiscale.config.quantities import to_internal
    from multiscale.tables import print_comparison

    try:
        near = to_internal(args.near, "length")
    except ValueError as error:
        raise InputError("--near", str(error), "command line") from None
    if not 0.0 < near < math.inf:
        raise InputError("--near", f"must be a positive length, got {args.near}", "command line")
    if comm.rank == 0:
        found = compare(args.run, args.reference, near)
        if args.json:
            print(json.dumps(found, indent=1, ensure_ascii=False))
        else:
            print_comparison(found)
    return DONE


def _init(args: argparse.Namespace, comm: Any) -> int:
    from multiscale.config.template import template
    from multiscale.files import write_atomically

    if comm.rank:
        return DONE
    text = template(args.kind, None if args.output is None else args.output.name)
    if args.output is None:
        print(text, end="")
        return DONE
    if args.output.exists() and not args.force:
        raise InputError("", f"{args.output} exists; choose another name or --force", "command line")
    try:
        write_atomically(args.output, text)
    except OSError as error:
        raise InputError("", f"cannot write {args.output}: {error.strerror}", "command line") from None
    return DONE


def _schema(args: argparse.Namespace, comm: Any) -> int:
    from multiscale.config.schema import json_schema

    if comm.rank == 0:
        print(json.dumps(json_schema(), indent=1, ensure_ascii=False))
    return DONE


def _show(comm: Any, title: str, data: dict[str, Any], as_json: bool) -> None:
    from multiscale.tables import print_mapping

    if comm.rank == 0 and as_json:
        print(json.dumps(data, indent=1, ensure_ascii=False))
    elif comm.rank == 0:
        print_mapping(title, data)


if __name__ == "__main__":
    sys.exit(main())
