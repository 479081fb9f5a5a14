"""The embedded server under real processes, real kills and other people's folders."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import psycopg2
import pytest

from core.embedded_postgres import binary, is_running, locks, sockets, stop
from core.embedded_postgres.cluster import Cluster
from core.embedded_postgres.system_user import SystemUser, system_user_for
from core.errors import EmbeddedPostgresFailed
from tests.support.embedded_postgres.processes import PROJECT, kill_all, leave_orphan, run, spawn

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for all tests that leave it whole; making one takes a second."""
    return tmp_path_factory.mktemp("embedded") / "postgres"


@pytest.fixture
def folder(shared_folder: Path) -> Iterator[Path]:
    """Yield a folder whose server has run before and does not run now."""
    if not shared_folder.exists():
        run(shared_folder, "ask('select 1')")
    yield shared_folder
    stop(shared_folder)


@pytest.fixture
def sleeper(folder: Path) -> Iterator[int]:
    """Yield the pid of a living process that is no server, of the user who runs the server."""
    options = system_user_for(folder).subprocess_options()
    with subprocess.Popen(["sleep", "60"], cwd="/", **options) as process:
        yield process.pid
        process.kill()


def test_the_server_runs_while_somebody_uses_it_and_no_longer(folder: Path) -> None:
    assert run(folder, "print(ask('show server_encoding'), is_running(folder))") == "UTF8 True"
    assert not is_running(folder)


@pytest.mark.slow
def test_six_commands_at_once_make_and_share_one_server(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: run(folder, "print(ask('select 1'))"), range(6)))
    assert answers == ["1"] * 6
    assert not is_running(folder)


@pytest.mark.slow
def test_a_server_half_made_by_a_killed_command_is_made_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    with spawn(folder, "ask('select 1')") as command:
        while not (folder / "data.unfinished" / "PG_VERSION").exists():
            assert command.poll() is None
            time.sleep(0.01)
        command.kill()
    assert run(folder, "print(ask('select 1'))") == "1"


@pytest.mark.slow
def test_commands_that_come_while_others_go_never_meet_a_stopping_server(folder: Path) -> None:
    def come(turn: int) -> str:
        time.sleep(turn * 0.13)
        return run(folder, "print(ask('select 1'))")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(come, range(8))) == ["1"] * 8
    assert not is_running(folder)


def test_after_a_kill_of_everything_the_data_is_there_again(folder: Path) -> None:
    kill_all(leave_orphan(folder))
    assert run(folder, "print(ask('select count(*) from kept'))") == "0"
    assert not is_running(folder)


def test_a_server_whose_users_were_killed_is_used_again_and_then_stopped(folder: Path) -> None:
    assert leave_orphan(folder)
    assert is_running(folder)
    assert run(folder, "print(ask('select count(*) from kept'))") == "0"
    assert not is_running(folder)


def test_a_command_waits_for_an_orphan_that_is_still_shutting_down(folder: Path) -> None:
    leave_orphan(folder)
    postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGINT)
    assert run(folder, "print(ask('select count(*) from kept'))") == "0"


@pytest.mark.slow
def test_an_orphan_that_never_finishes_shutting_down_is_stopped_and_started_again(folder: Path) -> None:
    leave_orphan(folder)
    postmaster, socket = ((folder / "data" / "postmaster.pid").read_text().splitlines()[line] for line in (0, 4))
    client = psycopg2.connect(host=socket, port=sockets.PORT, user="postgres", dbname="dataforge")
    os.kill(int(postmaster), signal.SIGTERM)  # PostgreSQL waits for its clients then
    impatient = "from core.embedded_postgres import server\nserver.STOPPING_PATIENCE_SECONDS = 0.3\n"
    assert run(folder, f"{impatient}print(ask('select count(*) from kept'))") == "0"
    client.close()


@pytest.mark.slow
def test_a_killed_postmaster_whose_children_linger_is_waited_for(folder: Path) -> None:
    leave_orphan(folder)
    os.kill(int((folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert run(folder, "print(ask('select count(*) from kept'))") == "0"


@pytest.mark.parametrize("content", ["{pid}\n{data}\n1700000000\n5432\n{data}\n\n  1 2\nready\n", ""])
def test_a_pid_file_that_is_stale_or_half_written_is_no_hindrance(folder: Path, sleeper: int, content: str) -> None:
    (folder / "data" / "postmaster.pid").write_text(content.format(pid=sleeper, data=folder / "data"))
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / ".s.PGSQL.5432.lock").write_text(f"{sleeper}\n")
    assert run(folder, "print(ask('select 1'))") == "1"


def test_a_server_that_somebody_else_started_on_the_data_is_named_and_left_alone(folder: Path) -> None:
    run(folder, "ask('select 1')")
    system_user = system_user_for(folder)
    with subprocess.Popen(["sleep", "60"], cwd=folder / "data", **system_user.subprocess_options()) as stranger:
        (folder / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n")
        assert f"process {stranger.pid}, not started by this project" in failure(folder)
        stranger.kill()
    (folder / "data" / "postmaster.pid").unlink()


def test_a_process_that_outlives_its_server_gets_a_new_one(folder: Path) -> None:
    body = "ask('select 1'); stop(folder); print(ask('select 2'))"
    assert run(folder, body) == "2"


def test_a_forked_child_does_not_stop_the_server_under_its_parent(folder: Path) -> None:
    body = """
ask('select 1')
if (child := os.fork()) == 0:
    sys.exit(0)
os.waitpid(child, 0)
print(is_running(folder), ask('select 2'))
"""
    assert run(folder, body) == "True 2"
    assert not is_running(folder)


def test_a_forked_child_that_uses_the_server_keeps_it_after_its_parent(folder: Path) -> None:
    body = """
ask('select 1')
if os.fork():
    sys.exit(0)
ask('select 1')
time.sleep(0.5)
print(is_running(folder), ask('select 2'))
"""
    assert run(folder, body) == "True 2"


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(folder: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e, 'f' $g \"h" * 5)
    shutil.copytree(folder, deep)
    body = (
        "ask('select 1'); socket = join(folder, database='dataforge'); print(socket, oct(socket.stat().st_mode)[-3:])"
    )
    socket, mode = run(deep, body).split()
    assert len(os.fsencode(socket)) < 90
    assert mode == "700"
    assert not Path(socket).exists()


def test_a_socket_folder_that_somebody_else_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_fits", lambda place: place.parent != tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir()
    system_user = SystemUser(uid=os.geteuid(), gid=os.getegid(), switch=False)
    place = sockets.socket_folder(tmp_path, system_user)
    place.rmdir()
    place.symlink_to(tmp_path)
    with pytest.raises(EmbeddedPostgresFailed, match="is not a folder of user"):
        sockets.socket_folder(tmp_path, system_user)


def failure(folder: Path, prelude: str = "") -> str:
    """Return the message of the EmbeddedPostgresFailed that a connection raises."""
    return run(
        folder, f"{prelude}\ntry:\n    ask('select 1')\nexcept EmbeddedPostgresFailed as error:\n    print(error)\n"
    )


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """Return a folder whose data is of an older PostgreSQL."""
    (tmp_path / "old" / "data").mkdir(parents=True)
    (tmp_path / "old" / "data" / "PG_VERSION").write_text("16\n")
    return tmp_path / "old"


def test_data_of_another_major_version_is_named(old_folder: Path) -> None:
    assert "of PostgreSQL 16, and this is PostgreSQL 18" in failure(old_folder)


def test_a_folder_that_is_no_data_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "letter.txt").write_text("mine")
    assert "no PostgreSQL data folder" in failure(tmp_path)
    assert (tmp_path / "data" / "letter.txt").read_text() == "mine"


def test_a_disk_that_is_full_at_the_making_is_told_and_tried_again(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    assert "could not be made" in failure(tmp_path / "postgres", limit)
    assert not (tmp_path / "postgres" / "data").exists()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(folder: Path) -> None:
    configuration = folder / "data" / "postgresql.conf"
    text = configuration.read_text()
    configuration.write_text(f"{text}\nnonsense = on\n")
    try:
        assert 'unrecognized configuration parameter "nonsense"' in failure(folder)
    finally:
        configuration.write_text(text)


@needs_root
def test_a_plain_user_runs_a_server_of_his_own() -> None:
    home = Path(tempfile.mkdtemp())
    try:
        os.chown(home, NOBODY, NOBODY)
        become = f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        assert run(home / "var" / "postgres", become + "print(ask('select current_user'))") == "postgres"
        assert (home / "var" / "postgres" / "data").stat().st_uid == NOBODY
        assert not is_running(home / "var" / "postgres")
        # Root helps out in his folder without taking it from him.
        assert run(home / "var" / "postgres", "print(ask('select 1'))") == "1"
        assert run(home / "var" / "postgres", become + "print(ask('select 1'))") == "1"
    finally:
        shutil.rmtree(home)


@needs_root
def test_a_folder_of_another_user_is_refused_with_his_name(tmp_path: Path) -> None:
    for place in (tmp_path, *tmp_path.parents[:-1]):
        place.chmod(place.stat().st_mode | 0o001)
    message = failure(tmp_path, f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})")
    assert "it belongs to user root" in message
    assert "DATABASE_URL" in message


@needs_root
def test_programs_that_the_server_user_may_not_run_are_told_with_the_remedy(tmp_path: Path) -> None:
    installed = tmp_path / "pginstall18" / "bin"
    installed.mkdir(parents=True)
    shutil.copy(binary("postgres"), installed / "postgres")
    (installed / "postgres").chmod(0o700)
    lure = f"from core.embedded_postgres import cluster\ncluster.binary = lambda name: Path({str(installed)!r}, name)"
    assert f"chmod -R o+rX {installed.parent}" in failure(tmp_path / "postgres", lure)


def manage(folder: Path, own_settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with settings that name ``folder``; they are written into ``own_settings``."""
    (own_settings / "own_settings.py").write_text(
        "from dataforge.settings import *\n"
        "DATABASES = {'default': {'ENGINE': 'core.embedded_postgres', 'NAME': 'dataforge', "
        f"'OPTIONS': {{'folder': {str(folder)!r}}}}}}}\n"
    )
    own = {"PYTHONPATH": str(own_settings), "DJANGO_SETTINGS_MODULE": "own_settings", "SECRET_KEY": "x" * 50}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=os.environ | own, capture_output=True, text=True, check=False)


def test_a_command_shows_a_failure_of_the_server_as_one_line(old_folder: Path, tmp_path: Path) -> None:
    result = manage(old_folder, tmp_path, "migrate")
    assert result.returncode == 3
    assert result.stderr.startswith("error: The embedded PostgreSQL in ")
    assert result.stderr.count("\n") == 1


def test_dbshell_speaks_to_the_server(folder: Path, tmp_path: Path) -> None:
    query = "select current_setting('fsync'), current_setting('listen_addresses')"
    assert manage(folder, tmp_path, "dbshell", "--", "-Atc", query).stdout.strip() == "on|"


def test_a_command_that_needs_no_database_starts_no_server(tmp_path: Path) -> None:
    assert manage(tmp_path / "postgres", tmp_path, "check").returncode == 0
    assert not (tmp_path / "postgres").exists()


def test_a_stop_ends_only_when_the_last_process_has_let_go_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = locks.hold(tmp_path / "server.lock")
    monkeypatch.setattr(Cluster, "stop", lambda cluster: Timer(0.2, os.close, [last]).start())
    stop(tmp_path)
    assert not is_running(tmp_path)
