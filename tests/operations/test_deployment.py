"""deploy/ names only what the product has, and all that production needs."""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from config.settings import BY_FILE, REQUIRED_IN_PRODUCTION

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose"
UNITS = DEPLOY / "systemd"
INSTALLED = "/opt/vardlots"
OUTSIDE = {"proxy", "database", "broker"}
# Read by Python, the shell or the service manager.
NOT_OURS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
SCRIPTS = {"gunicorn": "gunicorn", "celery": "celery"}


def compose() -> dict[str, Any]:
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))


def own_services() -> dict[str, dict[str, Any]]:
    found = compose()["services"]
    return {name: service for name, service in found.items() if name not in OUTSIDE}


def variables_of(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.split("=", 1)[0] for line in lines if "=" in line and not line.startswith("#")}


EXAMPLE = variables_of(DEPLOY / "vardlots.env.example")


def unit_values(unit: str, key: str) -> list[str]:
    """The values of a key in a unit and in what all units share."""
    texts = [
        (UNITS / "vardlots-.service.d" / "common.conf").read_text(encoding="utf-8"),
        (UNITS / unit).read_text(encoding="utf-8"),
    ]
    return [
        line.split("=", 1)[1]
        for text in texts
        for line in text.splitlines()
        if line.startswith(f"{key}=")
    ]


def environment_of(unit: str) -> dict[str, str]:
    pairs = [pair for line in unit_values(unit, "Environment") for pair in shlex.split(line)]
    return dict(pair.split("=", 1) for pair in pairs)


SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))


def programs() -> list[str]:
    """Every command that compose and the units run in the product."""
    found = [service["command"] for service in own_services().values()]
    for unit in SERVICES:
        found += unit_values(unit, "ExecStart")
    return [
        part.strip() for command in found for part in re.sub(r"^sh -c ", "", command).split("&&")
    ]


def without_file(names: set[str]) -> set[str]:
    """The variables that are given, by value or by a file."""
    return {name.removesuffix("_FILE") for name in names}


# Commands


@pytest.mark.parametrize("command", programs())
def test_every_command_exists(command):
    program, *arguments = shlex.split(command.strip('"'))
    program = program.removeprefix(f"{INSTALLED}/.venv/bin/")
    if program == "python":
        assert arguments[0] == "manage.py"
        assert arguments[1] in get_commands()
        assert (ROOT / "manage.py").is_file()
    else:
        assert shutil.which(SCRIPTS[program], path=os.path.dirname(sys.executable))
    for option, module in itertools.pairwise(arguments):
        if option == "-A":
            assert (ROOT / module / "celery.py").is_file()
        if option == "-c":
            assert (ROOT / f"{module.removeprefix('python:').replace('.', '/')}.py").is_file()


def test_every_process_and_nightly_command_is_in_both():
    kinds = {"migrate", "web", "worker", "beat", "verify-log", "retention", "backup"}
    assert own_services().keys() == kinds
    assert {name.removeprefix("vardlots-").removesuffix(".service") for name in SERVICES} == kinds
    nightly = {name for name, one in own_services().items() if one.get("profiles") == ["nightly"]}
    assert {name.removeprefix("vardlots-").removesuffix(".timer") for name in TIMERS} == nightly


# Settings


@pytest.mark.parametrize("name", sorted(own_services()))
def test_compose_gives_each_service_all_that_production_needs(name):
    service = own_services()[name]
    given = without_file(set(service["environment"]) | EXAMPLE)
    assert set(REQUIRED_IN_PRODUCTION) <= given
    mounted = set(service["secrets"])
    for variable, value in service["environment"].items():
        if variable.endswith("_FILE"):
            assert variable.removesuffix("_FILE") in BY_FILE
            assert Path(value).name in mounted
    assert mounted <= compose()["secrets"].keys()


@pytest.mark.parametrize("unit", SERVICES)
def test_each_unit_has_all_that_production_needs(unit):
    environment = environment_of(unit)
    assert set(REQUIRED_IN_PRODUCTION) <= without_file(set(environment) | EXAMPLE)
    loaded = {value.split(":", 1)[0] for value in unit_values(unit, "LoadCredential")}
    for variable, value in environment.items():
        if variable.endswith("_FILE"):
            assert variable.removesuffix("_FILE") in BY_FILE
            assert value.removeprefix("%d/") in loaded


def test_no_variable_is_named_that_the_product_does_not_read():
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("config", "organisations")
        for path in (ROOT / folder).rglob("*.py")
    )
    named = EXAMPLE | variables_of(COMPOSE / "build.env")
    for service in own_services().values():
        named |= set(service["environment"])
    for unit in SERVICES:
        named |= set(environment_of(unit))
    unknown = {
        name for name in without_file(named) - NOT_OURS if not re.search(rf'"{name}"', sources)
    }
    assert unknown == set()


def test_every_secret_is_named_where_it_is_told_how_to_make_them():
    told = (DEPLOY / "secrets.example").read_text(encoding="utf-8")
    told = told.replace("${role}", "admin") + told.replace("${role}", "owner")
    told += told.replace("database_admin", "database_web")
    secrets = compose()["secrets"].keys() | {"redis_url"}
    assert {name for name in secrets if name not in told} == set()


def test_the_secrets_that_are_made_as_told_start_production(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    subprocess.run(["/bin/sh", DEPLOY / "secrets.example"], cwd=folder, check=True)
    for name, value in {
        "database_url": "postgresql://vardlots_web:x@database/vardlots",
        "database_owner_url": "postgresql://vardlots_owner:x@database/vardlots",
        "email_url": "smtp+tls://user:secret@mail.example:587",
        "oidc_client_secret": "secret",
        "gateway_secret": "secret",
    }.items():
        (folder / name).write_text(f"{value}\n")
    environment = {"PATH": os.environ["PATH"]}
    lines = (DEPLOY / "vardlots.env.example").read_text(encoding="utf-8").splitlines()
    environment |= dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    environment |= {
        name: value.replace("/run/secrets", str(folder)).replace("/var/lib", str(tmp_path))
        for name, value in own_services()["backup"]["environment"].items()
    }
    reading = (
        "from django.conf import settings as s; from config.monitoring.probes import _keys;"
        "assert _keys() and s.METRICS_TOKEN and s.DATABASES['default']['USER'] == 'vardlots_owner';"
        "assert s.DATABASES['default']['OPTIONS'] == {'options': '-c lock_timeout=5s'}"
    )
    for command in (["check", "--deploy", "--fail-level", "WARNING"], ["shell", "-c", reading]):
        result = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment | {"VARDLOTS_AS_OWNER": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr


def test_the_image_can_collect_static_files_without_any_secret():
    lines = (COMPOSE / "build.env").read_text(encoding="utf-8").splitlines()
    environment = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    result = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--dry-run"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


# Files


def test_every_file_that_is_named_exists():
    named = [own_services()["web"]["build"]["dockerfile"]]
    assert all((ROOT / name).is_file() for name in named)
    for service in compose()["services"].values():
        for volume in service.get("volumes", []):
            if volume.startswith("./"):
                assert (COMPOSE / volume.split(":")[0]).is_file()
    container = (COMPOSE / "Containerfile").read_text(encoding="utf-8")
    for name in re.findall(r"^COPY (?!--from)(\S+) ", container, re.MULTILINE):
        assert (ROOT / name).exists()


# Hardening


@pytest.mark.parametrize("name", sorted(compose()["services"]))
def test_containers_hold_no_rights_they_do_not_need(name):
    service = compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert "docker.sock" not in str(service)
    # Only the proxy is reached from outside the machine.
    assert ("ports" in service) == (name == "proxy")
    long_lived = "profiles" not in service and name not in {"migrate", "proxy"}
    assert ("healthcheck" in service) == long_lived


def test_the_product_runs_as_a_user_that_owns_nothing_of_it():
    container = (COMPOSE / "Containerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER vardlots$", container, re.MULTILINE)
    assert "COPY --from=build /opt/vardlots /opt/vardlots" in container  # as root


def test_only_what_needs_it_is_given_the_tables_owner():
    with_owner = {name for name, one in own_services().items() if "OWNER" in str(one)}
    assert with_owner == {"migrate", "backup"}
    units = {unit for unit in SERVICES if "DATABASE_OWNER_URL_FILE" in environment_of(unit)}
    assert units == {"vardlots-migrate.service", "vardlots-backup.service"}


def test_the_proxy_shows_nothing_that_is_meant_for_machines_inside():
    text = (COMPOSE / "Caddyfile").read_text(encoding="utf-8")
    assert re.search(r"@inside path /metrics /readyz\s+respond @inside 404", text)


@pytest.fixture(scope="module")
def installed_units(tmp_path_factory) -> Path:
    """The units as installed, with this environment's programs in place of the installed ones."""
    folder = tmp_path_factory.mktemp("units")
    shutil.copytree(UNITS, folder, dirs_exist_ok=True)
    for unit in SERVICES:
        text = (folder / unit).read_text(encoding="utf-8")
        programs = os.path.dirname(sys.executable)
        (folder / unit).write_text(text.replace(f"{INSTALLED}/.venv/bin", programs))
    return folder


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_reads_every_unit_without_a_complaint(installed_units):
    result = analyze(installed_units, "verify", "--man=no", *SERVICES, *TIMERS)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES)
def test_systemd_finds_little_that_a_unit_could_harm(unit, installed_units):
    result = analyze(
        installed_units, "security", "--offline=yes", "--threshold=20", "--no-pager", f"./{unit}"
    )
    assert result.returncode == 0, result.stdout[-300:]
