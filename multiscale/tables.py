"""Mappings as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table


def print_mapping(title: str, data: dict[str, Any], console: Console | None = None) -> None:
    """A table of names and values; nested mappings are indented, {value, unit} pairs are one line."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for row in _rows(data, 0):
        table.add_row(*row)
    (console or Console(soft_wrap=True)).print(table)


def print_report(title: str, data: dict[str, Any], console: Console | None = None) -> None:
    """The table of `multiscale material`: names, values, units and, where there are any, reference figures and
    the deviations from them in per cent. Curves are left to files."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("", "value", "unit", "reference", "deviation"):
        table.add_column(name, justify="left" if name in ("", "unit") else "right", no_wrap=True)
    for row in _report_rows(data, 0):
        table.add_row(*row)
    (console or Console(soft_wrap=True)).print(table)


def _report_rows(data: dict[str, Any], depth: int) -> Iterator[tuple[str, ...]]:
    for key, value in data.items():
        name = "  " * depth + str(key).replace("_", " ")
        if not isinstance(value, dict):
            yield name, _number(value, 6), "", "", ""
        elif "value" in value:
            beside = _number(value["reference"], 6) if "reference" in value else ""
            off = f"{100.0 * value['deviation']:+.1f} %" if "deviation" in value else ""
            yield (
                name,
                _number(value["value"], 6),
                f"{value['unit']}  {value.get('note', '')}".strip(),
                beside,
                off,
            )
        elif key != "curve":
            yield name, "", "", "", ""
            yield from _report_rows(value, depth + 1)


def print_comparison(data: dict[str, Any], console: Console | None = None) -> None:
    """The table of `multiscale compare`."""
    console = console or Console(width=120)
    run, reference = data["run"], data["reference"]
    console.print(f"run       {run['folder']} ({run['status']})", highlight=False)
    console.print(f"reference {reference['folder']} ({reference['status']})\n", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    near = f"{data['near']:g} Å of tip"
    for name in ("load", "atoms", "max, Å", "rms, Å", "max/|u|", "core max, Å", f"max within {near}, Å",
                 "energy error, eV", "relative"):  # fmt: skip
        table.add_column(name, justify="right")
    for s in data["steps"]:
        overall, energy = s["all"], s["energy"]
        errors = (
            overall["max"],
            overall["rms"],
            overall["max_relative"],
            s["core"]["max"],
            s["near_tip"]["max"],
        )
        values = (s["load"], s["matched"], *errors, energy["error"], energy["relative"])
        table.add_row(*(_number(v, 3) for v in values))
    console.print(table)
    console.print()
    _print_costs(run, reference, console)


def _print_costs(run: dict[str, Any], reference: dict[str, Any], console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "run", "reference", "reference / run"):
        table.add_column(name, justify="left" if not name else "right")
    pairs = [(key, run[key], reference[key]) for key in ("force_evaluations", "site_evaluations")]
    for section in ("counts", "timings"):
        keys = [k for k in run[section] if k in reference[section]]
        pairs += [(f"{section}: {k}", run[section][k], reference[section][k]) for k in keys]
    for name, a, b in pairs:
        if isinstance(a, int | float) and isinstance(b, int | float):
            table.add_row(
                name.replace("_", " "), _number(a, 4), _number(b, 4), _number(b / a, 3) if a else "–"
            )
    console.print(table)


def _rows(data: dict[str, Any], depth: int) -> Iterator[tuple[str, str, str]]:
    for key, value in data.items():
        name = "  " * depth + str(key).replace("_", " ")
        if isinstance(value, dict) and "value" in value and "unit" in value:
            yield name, _number(value["value"], 6), f"{value['unit']}  {value.get('note', '')}".strip()
        elif isinstance(value, dict):
            yield name, "", ""
            yield from _rows(value, depth + 1)
        else:
            yield name, _number(value, 6), ""


def _number(value: Any, digits: int) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, list | tuple):
        return ", ".join(_number(v, digits) for v in value)
    return str(value)
