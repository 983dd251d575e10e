"""Every block of code in README, docs and examples is run, read or parsed; generated pages are what they would be now.

YAML is read by the readers of case and training files, Python is executed, commands are parsed by the parsers, and
those that take a second are run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import itertools
import re
import shlex
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

import multiscale.config.case as case_module
from multiscale.cli import main
from multiscale.cli import parser as multiscale_parser
from multiscale.config import load_case, parse_case, yamlio
from multiscale.config.case import Case
from multiscale.config.reading import read
from multiscale.config.spec import key_of, spec_of
from multiscale.config.writing import to_yaml
from nnp.cli import _parser as nnp_parser
from nnp.train.config import Training, build

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("examples/**/*.md")]
    + [p for p in ROOT.glob("docs/**/*.md") if "generated" not in p.parts]
)
OTHERS = (
    "apptainer",
    "conda",
    "export",
    "if",
    "paraview",
    "pip",
    "podman",
    "pvpython",
    "source",
    "scripts/test-on",
    "srun",
    "mpirun",
)
"""Commands besides our own that pages may name."""
RUN = ("init", "check", "schema")
"""Those of ours that are run."""


SMALL = """
crystal: {structure: diamond, symbol: Si, orientation: {x: [1, 1, -2], y: [1, 1, 1], z: [1, -1, 0]}}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm, crack: {tip: [0.1 nm, 0], plane: y}}
regions: {core: {shape: disc, center: tip, radius: 0.8 nm}, blend: 0.8 nm}
load: {type: k-field, K: {from: 0.9, to: 1.1, steps: 2, unit: K_G}}
"""
"""The crack.yaml of the blocks in Python."""


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    kind: str
    text: str
    after: str
    """What is printed, where a block of text follows."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Fenced blocks by their language; indented ones are commands."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    found = [t for t in tokens if t.type in ("fence", "code_block")]
    kinds = ["console" if t.type == "code_block" else t.info.strip() for t in found]
    texts = [
        t.content if t.info.strip() == "text" and follows(tokens, before, t) else ""
        for before, t in itertools.pairwise(found)
    ]
    return [
        Block(page, t.map[0] + 1 if t.map else 0, kind, t.content, text)
        for t, kind, text in zip(found, kinds, [*texts, ""])
    ]


def follows(tokens: list[Any], first: Any, second: Any) -> bool:
    """Whether there are only a few words between two blocks."""
    return tokens.index(second) - tokens.index(first) <= 4


ALL = [block for page in PAGES for block in blocks(page)]


def of(*kinds: str) -> Any:
    mine = [b for b in ALL if b.kind in kinds]
    return pytest.mark.parametrize("block", mine, ids=str)


def test_every_block_says_what_it_is() -> None:
    known = ("yaml", "python", "console", "bash", "text")
    assert [str(b) for b in ALL if b.kind not in known and not b.kind.startswith("{toctree}")] == []
    counts = {kind: sum(b.kind == kind for b in ALL) for kind in known}
    assert min(counts.values()) > 0, counts


@of("yaml")
def test_yaml_block_is_read(block: Block) -> None:
    data = yamlio.parse(block.text)
    if set(data) <= set(Training.__dataclass_fields__):
        build(Training, data)
        return
    if "crystal" not in data:  # a part of a case: beside the rest of one
        base = yamlio.parse((ROOT / "multiscale" / "templates" / "fracture.yaml").read_text())
        data = {**base, **data} if "geometry" not in data else {**base, "regions": None, **data}
    parse_case(yamlio.write(data))


@of("python")
def test_python_block_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crack.yaml").write_text(SMALL)
    if "results/crack" in block.text:  # a run that the page speaks of
        assert main(["run", "crack.yaml", "--set", "output.pictures=false"]) == 0
    before = [b for b in ALL if b.kind == "python" and b.page == block.page and b.line < block.line]
    with registries_kept():
        module = types.ModuleType(f"block_{block.line}")  # dataclasses look their module up
        monkeypatch.setitem(sys.modules, module.__name__, module)
        for part in [*before[:1], block]:  # the first block of a page is what the others share
            exec(compile(part.text, str(part), "exec"), vars(module))


@contextlib.contextmanager
def registries_kept() -> Iterator[None]:
    """What a block registers is gone behind it."""
    names = {
        "nnp.registry": "POTENTIALS",
        "multiscale.continuum.laws": "LAWS",
        "coupling.schemes": "SCHEMES",
        "multiscale.loads": "LOADS",
        "multiscale.config.loads": "LOADS",
        "multiscale.writers": "WRITERS",
    }
    held = [getattr(importlib.import_module(module), name) for module, name in names.items()]
    before, loads = [dict(registry) for registry in held], case_module.Load
    try:
        yield
    finally:
        case_module.Load = loads
        for registry, was in zip(held, before):
            registry.clear()
            registry.update(was)


def commands(text: str) -> list[list[str]]:
    """The commands of a block as lists of words; lines that only open or close something are left out."""
    joined = text.replace("\\\n", " ")
    lines = [line.strip().removeprefix("$ ") for line in joined.splitlines()]
    found = [shlex.split(line, comments=True) for line in lines if line and not line.startswith("#")]
    return [words for words in found if words]


def ours(words: list[str]) -> list[str]:
    """The part that is a command of this program, behind mpirun, srun or a container."""
    for n, word in enumerate(words):
        if word in ("multiscale", "nnp") and words[n + 1 : n + 2] != [word] and n + 1 < len(words):
            nested = n > 0 and words[n - 1] in ("-t", "-f", "activate")
            return [] if nested else words[n:]
    return []


@of("console", "bash")
def test_commands_are_understood(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if block.kind == "bash":
        subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    folders = (tmp_path, ROOT, block.page.parent, block.page.parent.parent)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crack.yaml").write_text((ROOT / "examples/fracture/silicon_crack.yaml").read_text())
    for words in commands(block.text):
        mine = ours(words)
        if mine:
            parse(mine, folders)
        elif words[0] == "make":
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.M), words
        elif words[0] == "python":
            assert any((folder / words[1]).is_file() for folder in folders), words
        else:
            assert words[0] in OTHERS or "=" in words[0], words


def parse(words: list[str], folders: tuple[Path, ...]) -> None:
    """By the parser; a case that is there is read with its overrides."""
    parser: argparse.ArgumentParser = {"multiscale": multiscale_parser, "nnp": nnp_parser}[words[0]]()
    given = [word for word in words[1:] if word != "$restart"]
    try:
        options = parser.parse_args(given)
    except SystemExit as end:
        assert end.code == 0, words  # --version and --help
        return
    if words[0] == "multiscale" and hasattr(options, "case"):
        found = [f / options.case for f in folders if (f / options.case).is_file()]
        assert found, f"no case {options.case}"
        if "radus" not in " ".join(words):  # an error that a page shows; it is run below
            load_case(found[0], options.overrides)


CHEAP = [
    b
    for b in ALL
    if b.kind == "console" and any(w[:1] == ["multiscale"] and w[1] in RUN for w in commands(b.text))
]


@pytest.mark.parametrize("block", CHEAP, ids=str)
def test_cheap_commands_run(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if "init fracture -o crack.yaml" not in block.text:
        assert main(["init", "fracture", "-o", "crack.yaml"]) == 0
    out, wrong = io.StringIO(), io.StringIO()
    for words in commands(block.text):
        if words[0] == "multiscale" and words[1] in RUN:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(wrong):
                code = main(words[1:])
            assert code == (2 if "radus" in " ".join(words) else 0), wrong.getvalue()
    if block.after:  # what is printed: messages as they are, of tables the names
        names = [re.split(r"\s\s+", line)[0] for line in block.after.splitlines()]
        assert [n for n in names if n not in out.getvalue() + wrong.getvalue()] == []


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    yield importlib.import_module("generate")
    for name in [n for n in sys.modules if n.split(".")[0] == "generate"]:
        del sys.modules[name]


def test_every_key_has_an_example_that_can_be_read(generate: Any) -> None:
    case = importlib.import_module("generate.case")
    seen = set()
    for section in case.sections():
        hints = typing.get_type_hints(section.kind)
        fields = {key_of(f): f for f in section.kind.__dataclass_fields__.values()}
        for key in section.keys:
            seen.add(key.path)
            assert key.doc
            for text in (key.example, key.default):
                if text not in (None, "", "null", "{}"):
                    field = fields[key.name]
                    read(hints[field.name], yamlio.parse(text), key.path, spec_of(field))
    minimal = {"crystal", "potential", "geometry", "load"}
    assert minimal < {key_of(f) for f in Case.__dataclass_fields__.values()} <= seen


def test_every_key_of_a_resolved_case_is_in_the_page(generate: Any) -> None:
    case = importlib.import_module("generate.case")
    known = {key.path for section in case.sections() for key in section.keys}
    example = (ROOT / "examples/fracture/silicon_crack.yaml").read_text()
    data = yamlio.parse(to_yaml(parse_case(example)))

    def paths(tree: dict[str, Any], above: str = "") -> Iterator[str]:
        for key, value in tree.items():
            yield above + key
            if isinstance(value, dict) and above + key != "potential.parameters":
                yield from paths(value, f"{above}{key}.")

    assert sorted(set(paths(data)) - known) == []


def test_every_key_of_a_training_file_is_explained(generate: Any) -> None:
    training = importlib.import_module("generate.training")
    kinds = [*training.SECTIONS.values(), *map(training.architecture, training.FAMILIES)]
    for kind in kinds:
        assert all(training.meanings(kind).values()), kind  # KeyError where a docstring leaves one out


def test_keys_of_the_training_page_are_those_of_the_settings(generate: Any) -> None:
    sections = importlib.import_module("generate.training").SECTIONS
    page = (ROOT / "examples" / "training" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \|", page.partition("## Every key")[2], re.M)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    fields = {
        name for path in ("", "data", "loss", "optimiser") for name in sections[path].__dataclass_fields__
    }
    assert listed == fields


def test_every_command_is_in_the_page(generate: Any) -> None:
    page = importlib.import_module("generate.commands").page()
    for program, words in (("multiscale", "run check compare schema"), ("nnp", "train evaluate md")):
        assert all(f"### {program} {word}\n" in page for word in words.split())
    assert "`--set KEY.PATH=VALUE`" in page


def test_gallery_is_up_to_date(generate: Any) -> None:
    gallery = importlib.import_module("generate.gallery")
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert page == gallery.page(), "python docs/generate gallery"
    assert all(e.reference for e in gallery.entries())


def test_claims_are_those_of_the_files(generate: Any) -> None:
    claims = importlib.import_module("generate.claims")
    rows = list(claims.rows())
    assert len(rows) > 15
    assert claims.rate("A", "bgfc", 2) == pytest.approx(-1.5, abs=0.1)  # theory: −3/2
    assert claims.rate("A", "bqce", 1) == pytest.approx(-0.5, abs=0.1)  # theory: −1/2


def test_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    sphinx = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-c",
        "docs",
        "-d",
        str(tmp_path / "trees"),
    ]
    ran = subprocess.run([*sphinx, ".", str(tmp_path / "site")], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "site" / "docs" / "generated" / "case.html").is_file()
