"""Pictures small enough to be kept."""

from __future__ import annotations

from pathlib import Path


def shrink(source: Path, target: Path) -> None:
    """A picture with 256 colours and at most 1300 pixels wide: a fifth of the size."""
    from PIL import Image

    image = Image.open(source).convert("RGB")
    image.thumbnail((1300, 1300), Image.Resampling.LANCZOS)
    image.quantize(256, kmeans=4, dither=Image.Dither.NONE).save(target, optimize=True)
