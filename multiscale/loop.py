"""The run loop: build, step, record, until the load is through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from multiscale.build import Simulation, build
from multiscale.checkpoint import Stored
from multiscale.config import Case, InputError
from multiscale.continuum.mismatch import TOLERANCE
from multiscale.ending import DONE, NOT_CONVERGED
from multiscale.following import Follower
from multiscale.interrupt import Interrupted, Interrupts
from multiscale.log import logger
from multiscale.placement import Placement
from multiscale.recording import Recorder
from multiscale.shown_units import with_unit
from multiscale.stepping import Step, Stepper
from nnp import locking

SAID = ("K_", "max_force", "pull_off")
"""How the names of results begin that are said at the end."""

Progress = Callable[[int, int, str], None]


def run_case(case: Case, out: Path, comm: Any, restart: bool, progress: Progress) -> int:
    """Run a case into a prepared folder and give the exit code: 0 done; 3 not converged, or stopped by a limit
    of trust; 128 + number of a signal that ended it after its last whole step. Collective.

    InputError where the case cannot be built; any other error leaves result.json with status "failed".
    """
    try:
        return _run(case, out, comm, restart, progress)
    finally:
        if comm.rank == 0:
            locking.release(out)


def _run(case: Case, out: Path, comm: Any, restart: bool, progress: Progress) -> int:
    began = perf_counter()
    saved = Stored.open(comm, out) if restart else None
    placement = Placement.loaded(saved.whole) if saved is not None and "extent" in saved.whole else None
    simulation = build(case, comm, lambda text: _say(comm, text), placement)
    built = perf_counter()
    stepper = _stepper(simulation)
    if saved is not None:
        _resume(stepper, saved)
    recorder = Recorder(simulation, out, None if saved is None else stepper.number)
    _describe(comm, recorder)
    solving, status, signalled = 0.0, "failed", None
    try:
        with Interrupts(comm) as interrupts:
            status, solving = _march(stepper, recorder, progress, interrupts)
    except Interrupted as caught:
        status, signalled = "interrupted", caught
    finally:
        parts = simulation.model.clock.seconds
        timings = {"build": built - began, "solve": solving, **parts}
        timings = {name: round(seconds, 3) for name, seconds in timings.items()}
        if status in ("failed", "interrupted"):
            recorder.result.note("timings", **timings)
            with suppress(OSError):  # a full disk: what failed first is what is said
                recorder.result.finish(status)
    if signalled is not None:
        _say(comm, f"{signalled} {_kept(recorder)}")
        return signalled.code
    recorder.finish(status, timings)
    _conclude(comm, recorder, out, perf_counter() - began)
    comm.Barrier()  # what the first rank has written is there for whoever goes on, on any rank
    return DONE if status == "done" else NOT_CONVERGED


def _stepper(simulation: Simulation) -> Stepper | Follower:
    if simulation.case.solver.path == "load":
        return Stepper.start(simulation)
    try:
        return Follower.start(simulation)
    except ValueError as error:
        raise InputError("solver.path", str(error)) from error


def _march(
    stepper: Stepper | Follower, recorder: Recorder, progress: Progress, interrupts: Interrupts
) -> tuple[str, float]:
    """All steps that are left; final status and seconds spent solving. Interrupted, the step under way is lost."""
    case, comm = stepper.simulation.case, stepper.simulation.model.comm
    total, solving, failures = stepper.total, 0.0, 0
    while (step := stepper.step(interrupts.check)) is not None:
        solving += step.seconds
        recorder.record(stepper, step, total)
        if comm.rank == 0:
            progress(min(step.number, total), total, _line(recorder, step))
            _say_turn(stepper, step)
        if recorder.stopped:
            return "stopped", solving
        interrupts.check()
        if not step.solution.converged:
            failures += 1
            if case.solver.on_failure == "stop":
                break
    return ("not-converged" if failures else "done"), solving


def _kept(recorder: Recorder) -> str:
    steps = recorder.result.steps
    return f"after step {steps[-1]['step']}; --restart goes on from there" if steps else "in the first step"


def _resume(stepper: Stepper | Follower, saved: Stored) -> None:
    try:
        stepper.resume(saved)
    except ValueError as error:
        raise InputError("", f"cannot restart: {error}", "command line") from error


def _line(recorder: Recorder, step: Step) -> str:
    row, units, load = recorder.result.steps[-1], recorder.result.data["units"], recorder.simulation.load
    parts = [f"{load.name} {with_unit('load', row['load'], units, 4)}"]
    parts += [f"({row['K_over_K_G']:.3f} K_G)"] if "K_over_K_G" in row else []
    if step.tip is not None:
        parts += [f" tip {step.tip:.2f} Å" if np.isfinite(step.tip) else " tip: none, all bonds hold"]
    for name in ("force", "extrapolation", "force_spread"):
        parts += [f" {name.replace('_', ' ')} {with_unit(name, row[name], units, 3)}"] if name in row else []
    parts += [f" energy {row['energy']['total']:.6f} eV  residual {row['residual']:.1e} eV/Å "]
    parts += [f"{row['force_evaluations']} evaluations  {row['seconds']:.1f} s"]
    return " ".join(parts) + ("" if step.solution.converged else "  NOT CONVERGED")


def _say_turn(stepper: Stepper | Follower, step: Step) -> None:
    """Why the load ends, or goes back, before its last value."""
    if isinstance(stepper, Stepper) and stepper.grown and not step.turned and step.tip is not None:
        then = "the run ends" if stepper.simulation.load.floor is None else "the load goes back"
        logger.info("the crack has grown by load.stop.advance or more: %s", then)


def _describe(comm: Any, recorder: Recorder) -> None:
    data = recorder.result.data
    sizes = "  ".join(f"{name.replace('_', ' ')} {n}" for name, n in data["counts"].items())
    _say(comm, sizes)
    numbers = {k: v for k, v in data["results"].items() if v is not None}
    shown = {
        k: v for k, v in numbers.items() if abs(v) > 1e-12
    }  # constants that agree to rounding say nothing
    _say(comm, "  ".join(f"{k} {with_unit(k, v, data['units'])}" for k, v in shown.items()))
    for note in recorder.simulation.trust.notes:
        _say(comm, note)
    misfit = numbers.get("elastic_mismatch", 0.0)
    if misfit > TOLERANCE and comm.rank == 0:
        logger.warning(
            "the elastic constants of the bulk differ from the crystal's by %.3g %%; so will the fields near the blend",
            100.0 * misfit,
        )


def _conclude(comm: Any, recorder: Recorder, out: Path, seconds: float) -> None:
    data = recorder.result.data
    found = "  ".join(
        f"{k} {with_unit(k, v, data['units'], 4)}"
        for k, v in data["results"].items()
        if k.startswith(SAID) and v is not None
    )
    _say(comm, f"{data['status']} in {seconds:.1f} s  {found}")
    files = " and ".join(path.name for path in sorted(out.glob("*.pvd"), reverse=True))
    _say(comm, f"results in {out}: open {files} in ParaView")


def _say(comm: Any, text: str) -> None:
    if comm.rank == 0:
        logger.info("%s", text)
