"""Where the time goes, by part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter


@dataclass
class Clock:
    """seconds: wall time of this rank by the name of a part, or what `now` counts."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    now: Callable[[], float] = perf_counter

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        began = self.now()
        try:
            yield
        finally:
            self.seconds[part] += self.now() - began
