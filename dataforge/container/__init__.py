"""How the image runs: ``python -m dataforge.container``, and what its settings and its watcher need."""
