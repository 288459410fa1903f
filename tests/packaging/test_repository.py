"""What holds for the repository as a whole."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text().splitlines()
REQUIREMENTS = [
    Requirement(text)
    for texts in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in texts
]
# in pieces, so that this file does not hold what it looks for
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "registry." + "yarnpkg",
    "index" + "-url",
    "index" + "_url",
]


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_no_file_names_a_package_registry() -> None:
    files = {file: file.read_bytes().lower() for file in tracked()}
    assert [
        f"{file.relative_to(ROOT)}: {registry}"
        for file, content in files.items()
        for registry in REGISTRIES
        if registry.encode() in content
    ] == []


def test_every_constraint_is_one_exact_version() -> None:
    pin = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+")
    assert [line for line in CONSTRAINTS if not pin.fullmatch(line)] == []


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_every_requirement_is_pinned_within_what_it_allows(requirement: Requirement) -> None:
    pins = {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in CONSTRAINTS)
    }
    assert requirement.url is None
    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_the_distribution_its_package_and_its_command() -> None:
    assert PROJECT["name"] == "facematch"
    assert PROJECT["scripts"] == {"facematch": "service.__main__:main"}


def test_tensorflow_is_an_extra() -> None:
    assert not any("tensorflow" in text for text in PROJECT["dependencies"])
    names = [Requirement(text).name for text in PROJECT["optional-dependencies"]["tensorflow"]]
    assert "tensorflow" in names


def test_ci_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci/run").read_text().splitlines()
    assert script[-1] == "exec make test"
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
