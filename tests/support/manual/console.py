"""The README and other pages: their commands, and what these are said to print."""

import re
import socket
import subprocess

from tests.support.loading.loads import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")

type Step = tuple[str, list[str]]


def steps(page: str) -> list[Step]:
    """Return a page's commands, each with the lines that it is said to print."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    return [divided(step) for block in blocks for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


def divided(step: str) -> Step:
    """Tell a command from what it prints: it is the first lines that the shell takes for whole."""
    lines = step.splitlines()
    for count in range(1, len(lines) + 1):
        command = "\n".join(lines[:count])
        if not command.endswith("\\") and _is_whole(command):
            return command, lines[count:]
    raise AssertionError(step)


def _is_whole(command: str) -> bool:
    # Of a here-document without its end, bash only warns.
    parsed = subprocess.run(["bash", "-nc", command], capture_output=True, check=False)
    return not parsed.returncode and b"here-document" not in parsed.stderr


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
