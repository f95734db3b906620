"""What this version is called."""

import subprocess
from pathlib import Path

import pytest

from codebar import release


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    return tmp_path


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Asha", "-c", "user.email=asha@codebar.example"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_an_image_has_its_version(folder: Path):
    assert release.name_of(folder) == "1.2.3"


def test_a_checkout_has_its_commit_too(folder: Path):
    _git(folder, "init", "--quiet")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "-m", "One")

    assert release.name_of(folder) == f"1.2.3+{_git(folder, 'rev-parse', 'HEAD')[:10]}"


def test_a_checkout_without_a_commit_has_its_version(folder: Path):
    _git(folder, "init", "--quiet")

    assert release.name_of(folder) == "1.2.3"


def test_the_commit_of_a_folder_above_is_not_ours(folder: Path):
    _git(folder, "init", "--quiet")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "-m", "One")
    inner = folder / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text('[project]\nversion = "2"\n')

    assert release.name_of(inner) == "2"
