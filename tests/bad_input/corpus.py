"""The corpus of bad case files: entries of cases/*.yaml, each a change of one of bases/*.yaml and what must be said.

An entry has `says`, how the message begins after the file's name, and one or more of
base: a name in bases/ (crack if it says nothing); replace: [old, new] in its text; text: another text altogether;
append: more text; set: a list of --set arguments; from: what the message names instead of case.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
NAME = "case.yaml"


@dataclass(frozen=True)
class BadCase:
    topic: str
    place: int
    says: str
    text: str
    set: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.topic}-{self.place}"


def base(name: str) -> str:
    return (HERE / "bases" / f"{name}.yaml").read_text(encoding="utf-8")


def bases() -> list[str]:
    return sorted(path.stem for path in (HERE / "bases").glob("*.yaml"))


def bad_cases() -> list[BadCase]:
    return [
        _entry(path.stem, place, dict(row))
        for path in sorted((HERE / "cases").glob("*.yaml"))
        for place, row in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")))
    ]


def _entry(topic: str, place: int, row: dict) -> BadCase:
    text = row.pop("text", None)
    text = base(row.pop("base", "crack")) if text is None else text
    if "replace" in row:
        old, new = row.pop("replace")
        assert text.count(old) >= 1, f"{topic} {place}: nothing to replace: {old}"
        text = text.replace(old, new, 1)
    text += row.pop("append", "")
    says = f"{row.pop('from', NAME)}: {row.pop('says')}"
    entry = BadCase(topic, place, says, text, tuple(row.pop("set", ())))
    assert not row, f"{topic} {place}: unknown {', '.join(row)}"
    return entry
