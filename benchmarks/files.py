"""The generated files that all contenders read, made once and kept under ``var/bench``."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"
SEED = 1


def sample(*, scale: float, dirty: float = 0.0, seed: int = SEED) -> Path:
    """Return the folder of a sample of this size, and make it where it is missing; another seed, other ids."""
    from olist.sample import write_sample

    folder = FOLDER / f"sample-{scale:g}-{dirty:g}-{seed}"
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.part")
        write_sample(unfinished, scale=scale, seed=seed, dirty=dirty)
        unfinished.replace(folder)
    return folder
