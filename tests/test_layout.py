"""The house is as docs/architecture.md says: no circle, small rooms, small files, each name once; and so its tests."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support.manual.modules import ROOT, modules

MAX_MODULES, MAX_LINES = 18, 360
NO_MODULES = {"json", "lock"}  # files' names end so
DJANGO_S_NAMES = {"Command", "Serializer", "DatabaseWrapper"}  # by which it finds a command, a dump, an engine


def imported(tree: ast.Module, known: dict[str, Path]) -> Iterator[str]:
    """What a module imports when it runs, in functions too, but not for the type checker alone."""
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in for_types:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in known else node.module
        elif isinstance(node, ast.Import) and id(node) not in for_types:
            yield from (alias.name for alias in node.names)


def circle() -> list[str]:
    """A circle of imports, if there is one."""
    known = modules()
    graph = {name: set(imported(ast.parse(path.read_text()), known)) & set(known) for name, path in known.items()}
    try:
        TopologicalSorter({name: arrows - {name} for name, arrows in graph.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def public_classes() -> dict[str, list[str]]:
    """Where each public class at the top of a module stands."""
    places = defaultdict(list)
    for module, path in modules().items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    return places


def imports_of_tests() -> Iterator[tuple[str, str]]:
    """Yield each import of a module of the tests: the file that has it, and what it imports."""
    for path in (ROOT / "tests").rglob("*.py"):
        for name in imported(ast.parse(path.read_text()), {}):
            if name.split(".")[0] == "tests":
                yield str(path.relative_to(ROOT)), name


def helpers() -> Iterator[tuple[str, str]]:
    """Yield all functions of the tests but tests and fixtures: the file, and the code without name and docstring."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            is_fixture = any("fixture" in ast.unparse(mark) for mark in getattr(node, "decorator_list", ()))
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_") and not is_fixture:
                body = node.body[ast.get_docstring(node) is not None :]
                code = "; ".join(map(ast.unparse, [*node.decorator_list, node.args, *body]))
                yield str(path.relative_to(ROOT)), code


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle() == []


def test_a_folder_holds_few_modules() -> None:
    counts = Counter(path.parent.relative_to(ROOT) for path in modules().values() if path.name != "__init__.py")
    assert {str(folder): count for folder, count in counts.items() if count > MAX_MODULES} == {}


def test_a_file_is_short() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in modules().items()}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_no_public_class_has_a_namesake() -> None:
    twice = {name: places for name, places in public_classes().items() if len(places) > 1}
    assert {name: places for name, places in twice.items() if name not in DJANGO_S_NAMES} == {}


def test_what_tests_share_stands_in_the_support_and_never_in_another_test_or_conftest() -> None:
    assert [(path, name) for path, name in imports_of_tests() if not name.startswith("tests.support.")] == []


def test_no_helper_of_tests_is_written_twice() -> None:
    places = defaultdict(list)
    for path, code in helpers():
        places[code].append(path)
    assert {code: paths for code, paths in places.items() if len(paths) > 1} == {}


def test_a_module_that_a_docstring_names_is_there() -> None:
    known = modules()
    rooms = {part for name in known for part in name.split(".")}
    ends = {name.split(".", count)[-1] for name in known for count in range(name.count(".") + 1)}
    named = {
        (module, name)
        for module, path in known.items()
        for name in re.findall(r"``([a-z_]+(?:\.[a-z_0-9]+)+)(?:\(\))?``", path.read_text())
        if name.split(".")[0] in rooms and name.rsplit(".", 1)[-1] not in NO_MODULES
    }
    assert {
        (module, name) for module, name in named if name not in ends and name.rpartition(".")[0] not in ends
    } == set()
