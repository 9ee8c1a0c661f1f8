"""What gates ask of no registry: files within bounds, who runs this, and programs that hang, talk on or are missing."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled
from imagesync.gates import ListFiles, Ran, ReadFile, RunCommand, TimeNow, Unread, WhoRuns
from imagesync.gates import needs as needs_module
from imagesync.survey import surroundings
from imagesync.survey.surroundings import answer_here


def run(*arguments: str, folder: Path, stdin: bytes = b"", timeout: int = 30) -> object:
    return answer_here(RunCommand(arguments, str(folder), stdin, timeout))


def python(program: str, folder: Path, **more: int) -> object:
    return run(sys.executable, "-c", program, folder=folder, **more)  # type: ignore[arg-type]


def test_a_file_is_read_whole_or_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "scan.json").write_bytes(b"{}")
    assert answer_here(ReadFile(str(tmp_path / "scan.json"))) == b"{}"
    assert answer_here(ReadFile(str(tmp_path / "gone" / "scan.json"))) is None
    assert answer_here(ReadFile(str(tmp_path / "scan.json" / "x"))) is None
    assert isinstance(answer_here(ReadFile(str(tmp_path))), Unread)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert needs_module.MAX_FILE_BYTES > 1024
    monkeypatch.setattr(surroundings, "MAX_FILE_BYTES", 4)
    (tmp_path / "scan.json").write_bytes(b"12345")
    answer = answer_here(ReadFile(str(tmp_path / "scan.json")))
    assert isinstance(answer, Unread)
    assert "has more than 4 bytes" in answer.reason


def test_files_are_listed_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_bytes(name.encode())
    pattern = ListFiles(f"{tmp_path}/*.json")
    assert answer_here(pattern) == {f"{tmp_path}/a.json": b"a", f"{tmp_path}/b.json": b"b"}
    assert answer_here(ListFiles(f"{tmp_path}/gone/*.json")) == {}
    monkeypatch.setattr(surroundings, "MAX_LISTED_FILES", 1)
    assert isinstance(answer_here(pattern), Unread)


def test_one_that_is_too_large_to_be_an_approval_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "MAX_LISTED_BYTES", 4)
    (tmp_path / "a.json").write_bytes(b"12345")
    (tmp_path / "b.json").write_bytes(b"1234")
    assert answer_here(ListFiles(f"{tmp_path}/*.json")) == {f"{tmp_path}/b.json": b"1234"}


def test_the_actors_of_ci_run_it_else_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TRIGGERING_ACTOR", raising=False)
    monkeypatch.setenv("GITHUB_ACTOR", "alice")
    assert answer_here(WhoRuns()) == ("alice",)
    monkeypatch.setenv("GITHUB_TRIGGERING_ACTOR", "carol")
    assert answer_here(WhoRuns()) == ("alice", "carol")
    monkeypatch.delenv("GITHUB_ACTOR")
    monkeypatch.delenv("GITHUB_TRIGGERING_ACTOR")
    monkeypatch.setattr("getpass.getuser", lambda: "bob")
    assert answer_here(WhoRuns()) == ("bob",)

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert isinstance(answer_here(WhoRuns()), Unread)


def test_the_time_is_aware() -> None:
    assert answer_here(TimeNow()).tzinfo is not None


def test_a_program_gets_its_input_and_is_heard(tmp_path: Path) -> None:
    program = "import sys; print(sys.stdin.read().upper()); print('more'); sys.exit(1)"
    command = RunCommand((sys.executable, "-c", program), str(tmp_path), b"image")
    assert answer_here(command) == Ran(1, "IMAGE")


def test_a_program_works_in_the_folder_of_its_spec_and_sees_few_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    found = python("import os; print(os.getcwd(), 'AWS_SECRET_ACCESS_KEY' in os.environ)", tmp_path)
    assert found == Ran(0, f"{tmp_path} False")


def test_a_program_that_reads_nothing_or_talks_on_is_no_trouble(tmp_path: Path) -> None:
    command = RunCommand(("/bin/true",), str(tmp_path), b"x" * 1_000_000)
    assert answer_here(command) == Ran(0, "")
    found = python("print('y' * 1_000_000)", tmp_path)
    assert isinstance(found, Ran)
    assert len(found.said) == surroundings.MAX_SAID_BYTES


@pytest.mark.parametrize(
    "program",
    ["import time; time.sleep(60)", "import subprocess; subprocess.run(['sleep', '3'])"],
    ids=["hangs", "its child hangs"],
)
def test_a_program_that_hangs_is_ended_and_its_child_holds_up_nobody(program: str, tmp_path: Path) -> None:
    assert python(program, tmp_path, timeout=1) == Unread("no answer within 1 s")


def test_a_program_that_hangs_is_ended_with_its_children_once_the_run_is_to_stop(tmp_path: Path) -> None:
    children = tmp_path / "children"
    program = f"import os, subprocess; subprocess.Popen(['sh', '-c', 'echo $$ > {children}; sleep 600']).wait()"
    cancellation = Cancellation()

    def check() -> None:
        if children.exists() and children.read_text().strip():
            cancellation.cancel()
        cancellation.check()

    command = RunCommand((sys.executable, "-c", program), str(tmp_path), b"", 600)
    with pytest.raises(Cancelled):
        answer_here(command, check)
    assert _has_gone(int(children.read_text()))


def _has_gone(process: int) -> bool:
    """Whether it runs no more; whoever takes in orphans here may let it lie about, ended."""
    for _ in range(250):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_program_that_is_missing_or_cannot_be_run_says_so(tmp_path: Path) -> None:
    (tmp_path / "check").write_text("no program")
    assert run("./gone", folder=tmp_path) == Unread("No such file or directory")
    assert run("./check", folder=tmp_path) == Unread("Permission denied")
    assert run("/bin/true", folder=tmp_path / "gone") == Unread("No such file or directory")


def test_what_is_no_text_is_heard_all_the_same(tmp_path: Path) -> None:
    assert python("import os; os.write(1, b'\\xff\\xfe ok')", tmp_path) == Ran(0, "\ufffd\ufffd ok")
