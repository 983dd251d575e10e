"""A run from Python: `multiscale.run(case)`."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from multiscale.config import Case, InputError, load_case, read_case
from multiscale.config.committee import with_committee
from multiscale.config.loading import Overrides
from multiscale.config.validate import check_names
from multiscale.config.writing import to_data
from multiscale.ending import on_first_rank
from multiscale.outcome import Result
from nnp.access import usable_caches

Source = str | Path | Mapping[str, Any] | Case


def run(
    case: Source,
    output: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    *,
    restart: bool = False,
    force: bool = False,
    quiet: bool = False,
    comm: Any = None,
) -> Result:
    """Run a case and give what it found; as `multiscale run`, but here and now, in this process.

    case: a case file, its content as a mapping, or a Case. output: folder (None: results/ and the file's name, or the
    title's words). set: values to change by their dotted path, {"regions.core.radius": "3 nm"}. restart: go on where
    the run in the folder stopped. force: overwrite a finished run of another case. quiet: say nothing. comm: the ranks
    that run it together (None: all); every one of them must call this, and all get the result.

    A run that did not converge gives a result that says so in its `status`. InputError for wrong input;
    KeyboardInterrupt after Ctrl-C and Interrupted after SIGTERM, the last whole step kept; other errors as they are.
    """
    usable_caches()  # before DOLFINx is imported
    if comm is None:
        from mpi4py import MPI

        comm = MPI.COMM_WORLD
    known = read(case, set or {}, comm)
    out = Path(output) if output is not None else _default_folder(case, known)
    code = perform(known, out, comm, restart=restart, force=force, screen=not quiet)
    if code > 128:
        _raise_signal(code - 128)
    return on_first_rank(comm, lambda: Result.load(out))


def read(source: Source, overrides: Overrides, comm: Any) -> Case:
    """The complete case, the same on every rank. Collective. Registries import PETSc, which all ranks must start
    together."""
    case: Case = on_first_rank(comm, lambda: _parsed(source, overrides))
    try:
        check_names(case)
        case = with_committee(case)
        if not case.geometry.sized:
            from multiscale.build import settled

            case = settled(case)
        return case
    except InputError as error:
        raise error.at(_name(source)) from None


def perform(
    case: Case,
    out: Path,
    comm: Any,
    *,
    restart: bool = False,
    force: bool = False,
    screen: bool = True,
    name: str = "",
) -> int:
    """Run a complete case into a folder and give the exit code. Collective. screen: say what happens; name: of the case
    file, for messages."""
    from multiscale import folder
    from multiscale.log import StepProgress, logging_to

    made = on_first_rank(comm, lambda: folder.prepare(out, case, force, restart))
    # mpirun may give its ranks a terminal although its own output is a file: no bar there.
    console = Console() if comm.size == 1 and screen else None
    with logging_to(out / "log.txt", comm.rank, console, screen), StepProgress(console) as progress:
        try:
            from multiscale.loop import run_case

            return run_case(case, out, comm, restart, progress)
        except InputError as error:
            if comm.rank == 0 and made:
                folder.discard(out)
            raise error.at(name) from None


def _parsed(source: Source, overrides: Overrides) -> Case:
    if isinstance(overrides, Mapping):
        overrides = _plain(overrides)
    if isinstance(source, str | Path):
        return load_case(source, overrides, registries=False)
    return read_case(_plain(source), overrides, Path.cwd())


def _plain(value: Any) -> Any:
    """As YAML would give it: what Python has more kinds of becomes lists, mappings, numbers and text."""
    if isinstance(value, Case):
        return to_data(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _name(source: Source) -> str:
    return Path(source).name if isinstance(source, str | Path) else ""


def _default_folder(source: Source, case: Case) -> Path:
    from multiscale.folder import default_folder

    if isinstance(source, str | Path):
        return default_folder(Path(source))
    words = "_".join(re.findall(r"[a-z0-9]+", case.title.lower()))
    return Path("results") / (words[:60] or "case")


def _raise_signal(number: int) -> None:
    from multiscale.interrupt import Interrupted

    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Interrupted(number)
