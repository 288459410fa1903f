"""docker-compose.yml keeps its promises. Read only: no container engine is needed."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.images import ImageLimits
from service.settings import Settings
from service.web.body_limit import photographs_bound

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = sorted(SERVICES.keys() - {"migrate"})
CHECKED = sorted(SERVICES.keys() - {"migrate", "worker"})  # nothing is routed to a worker

# The containers' own affair (address, port, folder, database), or a command's argument.
NOT_FOR_THE_OPERATOR = {
    "database_direct_url",
    "database_path",
    "database_url",
    "facematch_home",
    "host",
    "port",
}


def test_every_mention_of_the_password_demands_that_it_is_set() -> None:
    mentions = re.findall(r"\$\{?POSTGRES_PASSWORD[^}\n]*\}?", TEXT)
    assert len(mentions) == 2
    assert all(mention.startswith("${POSTGRES_PASSWORD:?") for mention in mentions)


def test_the_password_is_not_part_of_a_url() -> None:
    assert re.findall(r"//[^@\s/]*:[^@\s/]*@", TEXT) == []


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_is_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", CHECKED)
def test_every_service_that_is_asked_is_checked(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_workers_start_only_where_they_are_asked_for() -> None:
    worker = SERVICES["worker"]
    assert worker["command"] == ["worker"]
    assert worker["profiles"] == ["worker"]
    assert worker["environment"] == SERVICES["api"]["environment"]
    migrated = worker["depends_on"]["migrate"]["condition"]
    assert migrated == "service_completed_successfully"


def test_an_api_container_is_healthy_when_it_is_ready() -> None:
    assert "/ready" in SERVICES["api"]["healthcheck"]["test"][-1]


def test_the_migration_runs_once_when_the_database_answers() -> None:
    migrate = SERVICES["migrate"]
    assert migrate["command"] == ["db", "upgrade"]
    assert migrate["restart"] == "no"
    assert migrate["depends_on"]["db"]["condition"] == "service_healthy"


def test_replicas_start_after_the_migration_succeeded() -> None:
    condition = SERVICES["api"]["depends_on"]["migrate"]["condition"]
    assert condition == "service_completed_successfully"


def test_there_are_several_replicas_unless_told_otherwise() -> None:
    assert SERVICES["api"]["deploy"]["replicas"] == "${API_REPLICAS:-2}"


def test_data_lies_in_named_volumes() -> None:
    mounts = [
        volume
        for name in ("db", "migrate", "api", "worker")
        for volume in SERVICES[name]["volumes"]
    ]
    assert {mount.split(":")[0] for mount in mounts} == COMPOSE["volumes"].keys()


def test_only_the_load_balancer_is_published_and_only_to_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"lb": ["127.0.0.1:${PORT:-8000}:8080"]}
    assert not any("network_mode" in service for service in SERVICES.values())


@pytest.mark.parametrize("name", ["migrate", "api", "worker", "lb"])
def test_containers_of_ours_may_do_nothing_special(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_every_setting_reaches_the_service() -> None:
    expected = {name.upper() for name in Settings.model_fields.keys() - NOT_FOR_THE_OPERATOR}
    not_settings = {"PGPASSWORD", "FORWARDED_ALLOW_IPS"}
    assert SERVICES["api"]["environment"].keys() == expected | not_settings | {"DATABASE_URL"}


@pytest.mark.parametrize("setting", ["max_image_bytes", "max_import_bytes"])
def test_service_and_load_balancer_agree_on_the_largest_request(setting: str) -> None:
    default = Settings.model_fields[setting].default
    variable = setting.upper()
    for name in ("api", "lb"):
        limit = SERVICES[name]["environment"][variable]
        assert limit == f"${{{variable}:-{default}}}"
    assert variable in (ROOT / "deploy/start.sh").read_text()


def test_what_the_service_takes_passes_the_load_balancer() -> None:
    """In JSON photographs are a third larger, and a comparison has several."""
    largest = 10_000_000
    bound = photographs_bound(ImageLimits(largest, 1))
    sizes = re.findall(
        r"client_max_body_size \$\(\((.*?)\)\)", (ROOT / "deploy/start.sh").read_text()
    )
    one, comparison = (shell(f"MAX_IMAGE_BYTES={largest}; echo $(({size}))") for size in sizes)
    json = [(b"content-type", b"application/json")]
    for path, size in (("/v1/detect", one), ("/v1/search", one), ("/v1/verify", comparison)):
        assert int(size) >= bound({"path": path, "headers": json}).bytes, path


def shell(script: str) -> str:
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [("8.8.8.8, 10.0.0.5", "10.0.0.5"), ("10.0.0.5", "10.0.0.5"), ("", None)],
)
def test_a_caller_cannot_put_another_address_into_the_record(
    sent: str, passed_on: str | None
) -> None:
    """The service believes private addresses, those of callers in the same network among them."""
    config = (ROOT / "deploy/nginx.conf").read_text()
    assert set(re.findall(r"X-Forwarded-For (\S+);", config)) == {"$caller"}
    (last,) = re.findall(r"~(\S+) \$last;", config)
    found = re.search(last.replace("?<last>", "?P<last>"), sent)
    assert (found["last"] if found else None) == passed_on


def test_the_load_balancer_keeps_no_bulk_import_in_its_memory() -> None:
    config = (ROOT / "deploy/nginx.conf").read_text()
    imports = config[config.index("/imports$ {") : config.index("location = /v1/verify {")]
    assert "proxy_request_buffering off;" in imports
    assert "include /tmp/facematch-imports.conf;" in imports


def test_the_database_brings_a_new_enough_pgvector() -> None:
    tag = re.fullmatch(
        r"pgvector/pgvector:(\d+)\.(\d+)\.(\d+)-pg(\d+)-\w+", SERVICES["db"]["image"]
    )
    assert tag is not None
    *vector, postgres = map(int, tag.groups())
    assert vector >= [0, 8, 4]
    assert postgres >= 15


def test_image_targets_exist() -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name in ("migrate", "api"):
        target = re.fullmatch(r"\$\{IMAGE_TARGET:-(\w+)\}", SERVICES[name]["build"]["target"])
        assert target is not None
        assert target[1] in stages


def test_the_load_balancer_finds_what_it_names() -> None:
    config = (ROOT / "deploy/nginx.conf").read_text()
    assert "server api:8000 resolve" in config
    assert "listen 8080;" in config
    assert SERVICES["lb"]["command"] == ["sh", "/etc/facematch/start.sh"]
    assert "./deploy:/etc/facematch:ro,z" in SERVICES["lb"]["volumes"]
    assert (ROOT / "deploy/start.sh").is_file()


def test_the_load_balancer_never_repeats_a_post() -> None:
    directives = re.findall(
        r"^\s*proxy_next_upstream (.*);", (ROOT / "deploy/nginx.conf").read_text(), re.MULTILINE
    )
    assert set(directives) == {"error timeout"}
