"""`multiscale plot`: the pictures of a run, or a film of it, from its files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from multiscale.config import InputError
from multiscale.ending import DONE

RATES = (1, 30)


def add_plot(commands: Any) -> None:
    plot = commands.add_parser(
        "plot",
        help="draw all pictures of a run again, or a film of it",
        description="Draws all pictures of a run again, from its files; the run may still be under way. Of a folder of "
        "`multiscale cohesive` the picture of the law.",
    )
    plot.add_argument("folder", type=Path, metavar="DIR")
    plot.add_argument(
        "--animation", choices=("gif", "mp4"), metavar="KIND",
        help="make run.gif, or run.mp4 where ffmpeg is installed, instead: a picture for each step whose fields were "
        "written",
    )  # fmt: skip
    plot.add_argument(
        "--rate", type=int, default=4, metavar="N", help="steps in a second of film (default: 4)"
    )
    plot.set_defaults(command=_plot)


def _plot(args: argparse.Namespace, comm: Any) -> int:
    from multiscale.animation import animate
    from multiscale.outcome import Result
    from multiscale.replot import redraw

    if not RATES[0] <= args.rate <= RATES[1]:
        raise InputError("--rate", f"must be from {RATES[0]} to {RATES[1]}, got {args.rate}", "command line")
    if comm.rank == 0:
        made = (
            redraw(args.folder)
            if not args.animation
            else [animate(Result.load(args.folder), args.animation, args.rate)]
        )
        print("\n".join(str(path) for path in made))
    return DONE
