"""The Dockerfile and what goes into the image. Read only: no container engine is needed."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = {
    name: (base, body)
    for base, name, body in re.findall(
        r"^FROM (\S+) AS (\S+)\n(.*?)(?=^FROM |\Z)",
        # one instruction a line, comments gone
        re.sub(r"\\\n", "", re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text())),
        re.MULTILINE | re.DOTALL,
    )
}


def instructions(stage: str) -> list[str]:
    """Of the stage and those it is built on, the first first."""
    if stage not in STAGES:
        return []
    base, body = STAGES[stage]
    return instructions(base) + [line for line in body.splitlines() if line.strip()]


def test_the_default_image_is_the_full_one() -> None:
    assert list(STAGES)[-1] == "full"


@pytest.mark.parametrize("extra", ["tensorflow", "openvino"])
def test_only_the_full_image_has_the_other_engines(extra: str) -> None:
    assert extra not in "".join(instructions("slim") + instructions("dependencies"))
    assert "COPY --from=dependencies-full /opt/facematch /opt/facematch" in instructions("full")
    assert f"['{extra}']" in "".join(instructions("dependencies-full"))


@pytest.mark.parametrize("stage", ["dependencies", "dependencies-full"])
def test_dependencies_are_pinned_and_need_none_of_our_code(stage: str) -> None:
    lines = instructions(stage)
    assert all("--constraint constraints.txt" in line for line in lines if "pip install" in line)
    copies = [line for line in lines if line.startswith("COPY")]
    assert copies == ["COPY pyproject.toml constraints.txt ./"]


@pytest.mark.parametrize("stage", ["slim", "full"])
class TestEachImage:
    def test_runs_as_an_ordinary_user(self, stage: str) -> None:
        assert instructions(stage)[-1] == "USER 10001:10001"

    def test_installs_our_package_without_the_network(self, stage: str) -> None:
        installs = [line for line in STAGES[stage][1].splitlines() if "pip install" in line]
        assert len(installs) == 1
        assert "--no-deps --no-index" in installs[0]

    def test_is_the_command(self, stage: str) -> None:
        lines = instructions(stage)
        assert 'ENTRYPOINT ["facematch"]' in lines
        assert 'CMD ["serve"]' in lines
        assert "STOPSIGNAL SIGTERM" in lines

    def test_listens_beyond_its_own_loopback(self, stage: str) -> None:
        assert "HOST=0.0.0.0" in "".join(instructions(stage))

    def test_keeps_its_data_in_a_volume(self, stage: str) -> None:
        lines = instructions(stage)
        assert "VOLUME /var/lib/facematch" in lines
        assert "FACEMATCH_HOME=/var/lib/facematch" in "".join(lines)

    def test_is_checked_by_what_it_has(self, stage: str) -> None:
        (check,) = (line for line in instructions(stage) if line.startswith("HEALTHCHECK"))
        assert "urllib.request" in check
        assert "/health" in check


def test_nothing_is_fetched_but_packages() -> None:
    lines = [line for stage in STAGES for line in STAGES[stage][1].splitlines()]
    assert not [line for line in lines if line.startswith("ADD") or re.search("curl|wget", line)]


def test_no_secret_is_built_in() -> None:
    assert not re.search(r"(?i)passw|secret|token|api_key", (ROOT / "Dockerfile").read_text())


def test_only_what_is_named_is_sent_to_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        "README.md",
        "constraints.txt",
        "migrations",
        "pyproject.toml",
        "service",
    }


@pytest.mark.parametrize("package", ["service", "migrations"])
def test_every_data_file_is_installed_with_the_package(package: str) -> None:
    """A checkout finds a file that the image lacks."""
    folder = ROOT / package
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    installed = {
        file
        for name, patterns in setuptools["package-data"].items()
        for pattern in patterns
        for file in (ROOT / name.replace(".", "/")).glob(pattern)
    }
    data = {file for file in folder.rglob("*") if file.is_file() and file.suffix[:3] != ".py"}
    assert data - installed == set()
