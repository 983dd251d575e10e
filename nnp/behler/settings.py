"""The settings file of n2p2, input.nn: keywords with their arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

READ = {
    "number_of_elements",
    "elements",
    "atom_energy",
    "cutoff_type",
    "symfunction_short",
    "scale_symmetry_functions",
    "scale_symmetry_functions_sigma",
    "center_symmetry_functions",
    "scale_min_short",
    "scale_max_short",
    "global_hidden_layers_short",
    "global_nodes_short",
    "global_activation_short",
    "normalize_nodes",
    "mean_energy",
    "conv_energy",
    "conv_length",
    "nnp_type",
    "nn_type",
}
REPEATED = {"symfunction_short", "atom_energy"}
SHORT_RANGE = {"2G-HDNNP", "2"}
"""Values of nnp_type: the energy is a sum of site energies, without charges."""

# Keywords that only training reads; what a trained potential gives does not depend on them.
TRAINING = re.compile(
    r"(random_seed|test_fraction|epochs|force_weight|main_error_metric|normalize_data_set"
    r"|use_short_forces|use_old_weights_short|precondition_weights|nguyen_widrow_weights_short"
    r"|repeated_energy_update|updater_type|parallel_mode|jacobian_mode|update_strategy"
    r"|memorize_symfunc_results|weights_(min|max)|(rmse|short_energy_error|short_force_error)_threshold.*"
    r"|(short_)?(energy|force|charge)_fraction|selection_mode.*|task_batch_size_.*|gradient_.*|kalman_.*"
    r"|write_(trainpoints|trainforces|weights_epoch|neuronstats|trainlog))"
)


class SettingsError(ValueError):
    """A file of n2p2 that is missing, damaged, or asks for what is not supported; one sentence that names
    the file and the keyword."""


@dataclass(frozen=True)
class Settings:
    """entries: for each keyword its (line number, arguments), in the order of the file."""

    path: Path
    entries: dict[str, list[tuple[int, list[str]]]]

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def rows(self, key: str) -> list[tuple[int, list[str]]]:
        """Every occurrence of a keyword. SettingsError when there is none or it has no arguments."""
        if key not in self.entries:
            raise SettingsError(f"{self.path}: the keyword '{key}' is missing")
        for line, words in self.entries[key]:
            if not words:
                raise self.error(key, "needs arguments", line)
        return self.entries[key]

    def words(self, key: str) -> list[str]:
        return self.rows(key)[0][1]

    def numbers(self, key: str) -> list[float]:
        return [self.number(key, w) for w in self.words(key)]

    def integer(self, key: str) -> int:
        return int(self.numbers(key)[0])

    def number(self, key: str, word: str, line: int | None = None) -> float:
        try:
            return float(word)
        except ValueError:
            raise self.error(key, f"'{word}' is not a number", line) from None

    def error(self, key: str, reason: str, line: int | None = None) -> SettingsError:
        where = line if line is not None else self.entries[key][0][0] if key in self.entries else None
        at = "" if where is None else f", line {where}"
        return SettingsError(f"{self.path}{at}: {key}: {reason}")


def read_settings(path: Path) -> Settings:
    """Keywords of the file; text after # or ! is a comment. SettingsError when it cannot be read, for a
    keyword that is not supported and for one given twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: not readable ({error.strerror})") from None
    settings = Settings(path, {})
    for k, line in enumerate(text.splitlines()):
        key, *words = re.split("[#!]", line)[0].split() or [""]
        if not key or TRAINING.fullmatch(key):
            continue
        if key not in READ:
            raise settings.error(key, "this keyword is not supported", k + 1)
        if key in settings and key not in REPEATED:
            raise settings.error(key, "given twice", k + 1)
        settings.entries.setdefault(key, []).append((k + 1, words))
    for key in ("nnp_type", "nn_type"):
        if key in settings and settings.words(key)[0] not in SHORT_RANGE:
            raise settings.error(key, f"'{settings.words(key)[0]}' is not supported (2G-HDNNP is)")
    return settings
