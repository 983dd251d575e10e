"""Several models trained alike but for their seeds: the members of a committee."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nnp.calibration import calibrate
from nnp.committee import Committee
from nnp.families import load, save
from nnp.neural import NeuralPotential
from nnp.reliability_plot import plot_reliability
from nnp.train import checkpoint, job
from nnp.train.config import ConfigError, Training, portable
from nnp.train.loop import Progress
from nnp.train.sources import mean_shifts, shifted
from nnp.train.transfer import member_start, with_start


def member(config: Training, k: int) -> Training:
    """The settings of the k-th member alone: another seed, and what `members_differ` says.

    With "seed" all members hold out the same frames, so that errors and spread of the committee can be
    measured on frames that no member has seen; "split" and "bootstrap" also vary what they learn from.
    """
    data = config.data
    if config.members_differ == "split":
        data = replace(data, split_seed=data.split_seed + k)
    if config.members_differ == "bootstrap":
        data = replace(data, bootstrap=True)
    one = replace(config, members=1, members_differ="seed", seed=config.seed + k, data=data)
    return with_start(replace(one, start_from=member_start(config.start_from, k)))


@dataclass(frozen=True)
class _Task:
    config: Training
    folder: Path
    resume: bool
    progress: Progress | None
    place: int
    parent: int = 0


def run_members(
    config: Training, folder: Path, resume: bool, progress: Progress | None, jobs: int = 1
) -> job.Outcome:
    """Train the members in folder/member_0, member_1, …, and write the committee; see nnp.train.job.run_job.

    With `resume` a finished member is not trained again, and an unfinished one goes on from its checkpoint.
    With `jobs` > 1 so many processes train at a time, and `progress` must be one that can be pickled.
    """
    if resume and not (folder / "train.yaml").is_file():
        raise ConfigError(f"nothing to resume: no train.yaml in '{folder}'")
    job.read_parts(member(config, 0))  # what is wrong with the data is said before a folder is made
    job.open_folder(config, folder, resume)
    tasks = [
        _Task(member(config, k), folder / f"member_{k}", resume, progress, k) for k in range(config.members)
    ]
    if jobs > 1:
        start = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, start, _share_threads, (jobs,)) as pool:
            outcomes = list(pool.map(_train, [replace(t, parent=os.getpid()) for t in tasks]))
    else:
        outcomes = [_train(t) for t in tasks]
    return _results(config, folder, outcomes)


def _share_threads(jobs: int) -> None:
    torch.set_num_threads(max(1, torch.get_num_threads() // jobs))


def _train(task: _Task) -> job.Outcome:
    def report(row: dict[str, float]) -> None:
        if task.parent and os.getppid() != task.parent:
            os._exit(1)  # the command was killed: two runs must not write to one folder once it is resumed
        if task.progress:
            task.progress(row | {"member": task.place})

    begun = task.resume and (task.folder / checkpoint.NAME).exists()
    return job.run_one(task.config, job.read_parts(task.config), task.folder, begun, report)


def _results(config: Training, folder: Path, outcomes: list[job.Outcome]) -> job.Outcome:
    models = [load(o.model, getattr(torch, config.dtype)) for o in outcomes]
    members_only = [m for m in models if isinstance(m, NeuralPotential)]
    for other in members_only[1:]:
        other.known = None  # the first member measures extrapolation for all
    committee = Committee(members_only)
    parts = _common(config)
    shifts = mean_shifts([o.shifts for o in outcomes])
    errors = job.errors_by_part(committee, parts, shifts)
    members = tuple(o.errors for o in outcomes)
    job.write_errors(folder, {**errors, "members": list(members)}, shifts)
    header = {"data": job.data_of(config, parts), "config": portable(config), "errors": errors}
    if parts.validation:
        committee.calibration, report = calibrate(committee, shifted(parts.validation, shifts))
        plot_reliability(report, folder / "reliability.png")
        header["calibration"] = {name: found.summary() for name, found in report.items()}
    path = folder / job.MODEL
    save(committee, path, header | ({"source_shifts": shifts} if shifts else {}))
    return job.Outcome(path, errors, shifts, members)


def _common(config: Training) -> job.Parts:
    """The frames that no member has seen, and all others."""
    # drawing with replacement leaves some frames out, and they are the members' to learn from all the same
    splits = range(config.members) if config.members_differ == "split" else [0]
    data = [replace(config.data, split_seed=config.data.split_seed + k, bootstrap=False) for k in splits]
    each = [job.read_parts(replace(config, data=d)) for d in data]
    seen = {f.where for parts in each for f in parts.training}
    everything = [*each[0].training, *each[0].validation]
    training = [f for f in everything if f.where in seen]
    return job.Parts(training, [f for f in everything if f.where not in seen])
