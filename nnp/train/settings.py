"""What a training file can say: frozen dataclasses with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from ase.data import atomic_numbers

from nnp.data import Keys
from nnp.density.architecture import Architecture as Density
from nnp.neural import Architecture
from nnp.ranges import SEED, within

FORCES = ("required", "optional")
SUSPICIOUS = ("refuse", "warn")
SCHEDULES = ("cosine", "exponential", "linear", "constant")
DIFFER = ("seed", "split", "bootstrap")
FACTOR = (0.0, 1e9)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not '{value}'")


@dataclass(frozen=True)
class DataFile:
    """file: extended XYZ, its path relative to the training file. source: stands for the source of frames
    that name none (empty: the file's name). keys: names of the labels in this file, if not those of `data`."""

    file: str
    source: str = ""
    keys: Keys | None = None

    @classmethod
    def from_text(cls, text: str) -> DataFile:
        return cls(text)


@dataclass(frozen=True)
class Data:
    """files: the labelled frames. keys: names of the labels. validation: fraction of every configuration type
    that is held out. split_seed: which frames those are. always_train: configuration types of which nothing
    is held out. bootstrap: train on as many frames drawn with replacement from each type, by `seed`.
    free_atoms: energies of isolated atoms, {element: eV}, which join the training as frames of the
    configuration type "free atom". forces: required, or optional, which allows frames without. suspicious: refuse
    frames whose units look wrong (nnp.train.checks), or warn of them."""

    files: tuple[DataFile, ...] = ()
    keys: Keys = field(default_factory=Keys)
    validation: float = 0.1
    split_seed: int = 0
    always_train: tuple[str, ...] = ()
    bootstrap: bool = False
    free_atoms: dict[str, float] = field(default_factory=dict)
    forces: str = "required"
    suspicious: str = "refuse"

    def __post_init__(self) -> None:
        within(self, split_seed=SEED, free_atoms=(-1e9, 1e9))
        if not 0.0 <= self.validation < 1.0:
            raise ValueError(f"validation must lie in [0, 1), not {self.validation}")
        for symbol in self.free_atoms:
            if not atomic_numbers.get(symbol):
                raise ValueError(f"free_atoms: no element '{symbol}'")
        _one_of("forces", self.forces, FORCES)
        _one_of("suspicious", self.suspicious, SUSPICIOUS)


@dataclass(frozen=True)
class Robust:
    """Huber widths: an error of a frame or atom counts with its square up to the width and linearly beyond,
    so that single bad labels pull less; 0: squares throughout.

    energy: eV/atom. forces: eV/Å, on the length of the force error. stress: eV/atom, on the norm of the virial
    error."""

    energy: float = 0.0
    forces: float = 0.0
    stress: float = 0.0

    def __post_init__(self) -> None:
        within(self, energy=FACTOR, forces=FACTOR, stress=FACTOR)


@dataclass(frozen=True)
class Loss:
    """energy · ⟨ΔE²/n²⟩ + forces · ⟨ΔF²⟩ + stress · ⟨ΔW²/n²⟩ + stress_gpa · ⟨Δσ²⟩; W = stress × volume, all in
    eV and Å but for σ, the stress in GPa.

    energy: factor of the energy per atom. forces: factor of the force components. stress: factor of the virial
    per atom. stress_gpa: factor of the stress. late_from: fraction of the epochs after which energy and stress
    count more. late_energy: times the energy counts then. late_stress: times stress and virial do.
    robust: widths of a Huber loss. config_types: factors on single configuration types."""

    energy: float = 10.0
    forces: float = 1.0
    stress: float = 1.0
    stress_gpa: float = 0.0
    late_from: float = 0.7
    late_energy: float = 4.0
    late_stress: float = 2.0
    robust: Robust = field(default_factory=Robust)
    config_types: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        within(self, energy=FACTOR, forces=FACTOR, stress=FACTOR, stress_gpa=FACTOR, config_types=FACTOR)
        within(self, late_from=(0.0, 1.0), late_energy=FACTOR, late_stress=FACTOR)


@dataclass(frozen=True)
class Optimiser:
    """AdamW with a schedule after a linear warm-up, and an exponential moving average of the weights, which is
    what the model file holds.

    epochs: passes through the data. batch: frames in a step. learning_rate: first learning rate. final_rate:
    last one. schedule: from one to the other, cosine, exponential or linear; or constant. warm_up: steps of
    linear rise. weight_decay: on matrices of weights only. amsgrad: keep the largest second moment; false: plain
    AdamW. clip: largest norm of the gradient (0: any). average: decay of the moving average per step (0: none).
    patience: stop after so many epochs without a better validation loss of that average, and keep the best
    (0: run to the end and keep the last)."""

    epochs: int = 60
    batch: int = 6
    learning_rate: float = 1e-2
    final_rate: float = 1e-5
    schedule: str = "cosine"
    warm_up: int = 50
    weight_decay: float = 1e-6
    amsgrad: bool = True
    clip: float = 5.0
    average: float = 0.995
    patience: int = 0

    def __post_init__(self) -> None:
        within(self, epochs=(1, 1e9), batch=(1, 1e9), learning_rate=(0.0, 10.0), final_rate=(0.0, 10.0))
        within(self, warm_up=(0, 1e9), weight_decay=(0.0, 1.0), clip=FACTOR, patience=(0, 1e9))
        if not self.learning_rate > 0.0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")
        _one_of("schedule", self.schedule, SCHEDULES)
        if self.schedule == "exponential" and not self.final_rate > 0.0:
            raise ValueError("final_rate must be positive with the exponential schedule")
        if not 0.0 <= self.average < 1.0:
            raise ValueError(f"average must lie in [0, 1), not {self.average}")


@dataclass(frozen=True)
class Training:
    """Everything a training run depends on besides the data themselves.

    model: sizes of a family of potentials (nnp.families), which its key `type` names. data: what is learnt from.
    loss: what is made small. optimiser: how. seed: of the weights and of the order of the frames. members: how many
    models to train for a committee, with seeds seed, seed + 1, …; members_differ: what else sets them apart: seed
    (nothing), split (what is held out) or bootstrap (frames drawn with replacement).

    start_from: a model file (its path relative to the training file) or a shipped model to go on from, whose
    sizes then hold; FILE#k is member k of a committee, and a committee as a whole starts one member each.
    freeze: parts that stay as they are, descriptor or layers (nnp.neural.NeuralPotential.parts). refit_reference:
    let the data set the reference energies anew before the first step. dtype: of the training, float32, with sums in
    float64, or float64. checkpoint_every: epochs between checkpoints and validations.
    """

    model: Architecture = field(default_factory=Density)
    data: Data = field(default_factory=Data)
    loss: Loss = field(default_factory=Loss)
    optimiser: Optimiser = field(default_factory=Optimiser)
    seed: int = 0
    members: int = 1
    members_differ: str = "seed"
    start_from: str = ""
    freeze: tuple[str, ...] = ()
    refit_reference: bool = True
    dtype: str = "float32"
    checkpoint_every: int = 5

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be float32 or float64, not '{self.dtype}'")
        within(self, seed=SEED, members=(1, 1000), checkpoint_every=(1, 1e9))
        _one_of("members_differ", self.members_differ, DIFFER)
        if self.freeze and not self.start_from:
            raise ValueError("freeze: only what start_from names can be held fixed")
