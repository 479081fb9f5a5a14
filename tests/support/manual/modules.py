"""The product's modules, for tests of how they are laid out."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("core", "access", "ingest", "backups", "olist", "dataforge")


def modules() -> dict[str, Path]:
    """Return the product's modules by their dotted names, without migrations."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
