"""What a reader of deploy/aws may rely on: rights without wildcards, variables checked, a README that names them."""

import re
from itertools import chain
from pathlib import Path

import django_tasks_db
from django.core.management import find_commands, get_commands

from dataforge.container.processes import LOOPS
from tests.support.aws.terraform import NOT_EMULATED, SOURCE

README = (SOURCE / "README.md").read_text()
TASKS = (SOURCE / "tasks.tf").read_text()
FILES = {
    path.relative_to(SOURCE): path.read_text()
    for path in sorted(SOURCE.rglob("*.tf"))
    if ".terraform" not in path.parts
}
ACTION = re.compile(r"[a-z0-9-]+:[A-Z][A-Za-z]+")


def blocks(kind: str, text: str) -> dict[str, str]:
    """Return the top-level blocks ``kind "NAME" {...}``, which end with a brace at the beginning of a line."""
    return dict(re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', text, re.DOTALL | re.MULTILINE))


VARIABLES = blocks("variable", FILES[SOURCE.joinpath("variables.tf").relative_to(SOURCE)])
OUTPUTS = blocks("output", (SOURCE / "outputs.tf").read_text())


def test_no_role_is_given_an_action_by_a_wildcard() -> None:
    seen = 0
    for path, text in FILES.items():
        for statement in re.findall(r"statement {\n(.*?)\n  }\n", text, re.DOTALL):
            actions = chain(*(re.findall(r'"([^"]*)"', found) for found in re.findall(r"actions *= (.*)", statement)))
            if 'effect    = "Deny"' not in statement:
                seen += 1
                assert all(ACTION.fullmatch(action) for action in actions), (path, statement)
    assert seen >= 10


def test_every_variable_and_output_says_what_it_is() -> None:
    for text in FILES.values():
        for name, body in {**blocks("variable", text), **blocks("output", text)}.items():
            assert re.search(r'description = "[^"]{6,}"', body), name
        for name, body in blocks("variable", text).items():
            assert re.search(r"^  type +=", body, re.MULTILINE), name


def test_every_setting_that_can_be_wrong_is_checked_before_anything_is_made() -> None:
    counters = {"password_version", "secret_key_version"}
    for name, body in VARIABLES.items():
        assert "validation {" in body or "type        = bool" in body or name in counters, name


def test_the_readme_names_every_variable_and_none_that_is_not_there() -> None:
    section = README.split("### Settings")[1].split("\n### ")[0]
    told = set(re.findall(r"`([a-z_]+)`", "".join(line.split("|")[1] for line in section.splitlines() if "|" in line)))
    required = set(re.findall(r"^(\w+) += ", README.split("```hcl")[1].split("```")[0], re.MULTILINE))
    assert required == {name for name, body in VARIABLES.items() if "default " not in body}
    assert told | required == set(VARIABLES)
    assert set(re.findall(r"-var (\w+)=", README)) <= set(VARIABLES)


def test_the_outputs_that_the_readme_and_the_tool_use_are_there() -> None:
    used = set(re.findall(r"terraform output -raw (\w+)", README))
    tool = set(re.findall(r'outputs(?:\[|\.get\()"(\w+)"', (SOURCE / "task.py").read_text()))
    assert used | tool <= set(OUTPUTS)
    assert set(OUTPUTS) - used - tool == {"database"}


def test_the_readme_names_every_module_and_what_was_not_tried() -> None:
    table = README.split("| file or module |")[1].split("\n\n")[0]
    for folder in (SOURCE / "modules").iterdir():
        assert f"`{folder.name}`" in table
    for name in NOT_EMULATED:
        assert f"`{name}`" in README.split("### Tried without AWS")[1]


def test_the_commands_of_tasks_and_readme_are_commands_of_the_project() -> None:
    tasks = re.findall(r'"manage.py", "(\w+)"', TASKS)
    told = re.findall(r"manage\.py ([a-z_]+)", README)
    assert len(tasks) == 5
    of_the_worker = find_commands(str(Path(django_tasks_db.__file__).parent / "management"))
    assert set(tasks) | set(told) <= {*get_commands(), *of_the_worker}


def test_whatever_must_happen_by_itself_is_started_by_the_clock() -> None:
    """In the image's other homes the same commands run as loops."""
    commands = dict(re.findall(r'^    (\w+) += { command = \["python", "manage\.py", "(\w+)"', TASKS, re.MULTILINE))
    modules = blocks("module", (SOURCE / "main.tf").read_text()).values()
    by_clock = [body for body in modules if re.search(r'source += "\./modules/schedule"', body)]
    started = {commands[kind] for body in by_clock for kind in re.findall(r'task += module\.task\["(\w+)"\]', body)}
    assert started == {name for _, _, name, _ in LOOPS}
