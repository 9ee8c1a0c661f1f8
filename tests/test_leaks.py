"""SEC-01: a test in whose output a secret is found fails, wherever it was shown; seen to fail here."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.leaks import find_leaks
from tests.secrets import EVERYWHERE, PASSWORD

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = """
import subprocess, sys
import pytest
from imagesync.errors import ImagesyncError
from imagesync.settings import Secret

SECRET = Secret.literal("made-for-" + "this-sample")
TEXT = SECRET.reveal()

@pytest.fixture(autouse=True)
def used():
    SECRET.reveal()

def test_printed(): print("a", TEXT)
def test_written_to_stderr(): sys.stderr.write(TEXT)
def test_read_with_capsys(capsys):
    print(TEXT)
    capsys.readouterr()
def test_in_an_error(monkeypatch):
    monkeypatch.setattr("imagesync.errors.redacted", str)
    with pytest.raises(ImagesyncError):
        raise ImagesyncError("it is " + TEXT)
def test_in_a_file(tmp_path): (tmp_path / "plan.json").write_text('{"a": "' + TEXT + '"}')
def test_by_a_process(tmp_path):
    program = tmp_path / "imagesync"
    program.write_text("print('made-for-' + 'this-sample')")
    subprocess.run([sys.executable, program], capture_output=True, text=True)
def test_after_the_test(request): request.addfinalizer(lambda: print(TEXT))
@pytest.mark.skip
def test_skipped(): print(TEXT)
def test_clean(tmp_path):
    print("nothing")
    (tmp_path / "config.json").write_text(TEXT)
@pytest.mark.shows_secrets("it is a sample")
def test_exempt(): print(TEXT)
"""
LEAKING = {
    *("printed", "written_to_stderr", "read_with_capsys", "in_an_error", "in_a_file", "by_a_process", "after_the_test"),
}


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "as a worker"])
def test_every_way_to_show_a_secret_fails_its_test(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_samples.py").write_text(textwrap.dedent(SAMPLES))
    options = ["-q", "-p", "tests.leaks", "-p", "no:cacheprovider", "-rA", f"--rootdir={tmp_path}", *workers]
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *options, "test_samples.py"]
    ran = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    failed = {line.split("::test_")[1].split()[0] for line in ran.stdout.splitlines() if line.startswith("FAILED")}
    failed |= {line.split("::test_")[1].split()[0] for line in ran.stdout.splitlines() if line.startswith("ERROR")}
    assert failed == LEAKING, ran.stdout + ran.stderr
    assert "holds a secret" in ran.stdout


def test_what_is_found_is_told_with_the_place_where_it_was_seen() -> None:
    [told] = find_leaks([("file plan.json", f"it is {PASSWORD}!"), ("captured", "nothing")], EVERYWHERE)
    assert told.startswith("file plan.json holds a secret: …'it is ")
