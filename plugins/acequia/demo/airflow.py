"""A whole Airflow on this machine: started, asked through its REST API, and stopped with every process it made.

Used by the demonstration and by the tests. It needs no server: SQLite and the LocalExecutor, as Airflow ships them.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore
from acequia.settings import Settings

READY_WITHIN_S, STOP_WITHIN_S = 180.0, 40.0
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


@dataclass(frozen=True)
class Airflow:
    """A running Airflow: where it is, and how to speak with it."""

    url: str
    token: str
    process: subprocess.Popen[bytes]
    home: Path

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request to the REST API; errors name the path and status."""
        response = self._request(method, path, body)
        if response.status_code >= 400:
            raise _refused(method, path, response.status_code)
        return response.json() if response.content else None

    def dags(self) -> set[str]:
        """The ids of the DAGs that Airflow has read."""
        return {dag["dag_id"] for dag in self.call("GET", "/api/v2/dags?limit=1000")["dags"]}

    def import_errors(self) -> list[Any]:
        """What Airflow could not read."""
        errors: list[Any] = self.call("GET", "/api/v2/importErrors")["import_errors"]
        return errors

    def trigger(self, dag_id: str, partition_key: str) -> str:
        """Start a run for a period; returns the run's id. A busy server is asked again: the id makes that harmless."""
        run_id = f"{partition_key}-{secrets.token_hex(4)}"
        body = {"dag_run_id": run_id, "logical_date": None, "partition_key": partition_key}
        for last in (False, False, False, True):
            response = self._request("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)
            if response.status_code in (200, 409):
                break
            if response.status_code < 500 or last:
                raise _refused("POST", f"/api/v2/dags/{dag_id}/dagRuns", response.status_code)
            time.sleep(1)
        return run_id

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=120)

    def state(self, dag_id: str, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        return str(self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def pause(self, paused: bool) -> None:
        """Pause or release all DAGs. Runs that are triggered meanwhile wait.

        On SQLite the API server writes runs and the states of tasks by two ways that can block each other for seconds,
        so many runs are triggered while nothing works, and released together.
        """
        self.call("PATCH", "/api/v2/dags?dag_id_pattern=~&limit=1000", {"is_paused": paused})

    def healthy(self) -> bool:
        """Whether all its parts say so."""
        return self.process.poll() is None and _healthy(self.url)

    def runs(self, dag_id: str = "~") -> list[dict[str, Any]]:
        """The runs of a DAG, or of all."""
        runs: list[dict[str, Any]] = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns?limit=1000")["dag_runs"]
        return runs

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Task -> state of one run."""
        found = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in found}


def _refused(method: str, path: str, status: int) -> AcequiaError:
    return AcequiaError("internal", f"Airflow answered {status} to {method} {path}")


def environment(settings: Settings, project: Path, port: int, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of all of Airflow's processes. Secrets come from the key store, none is a default."""
    home = settings.home / "airflow"
    keys = FileKeyStore(settings.home / "keys")
    url = f"http://127.0.0.1:{port}"
    made = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(project / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=10",
        "AIRFLOW__CORE__FERNET_KEY": _fernet(keys.secret("airflow_fernet")),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": keys.secret("airflow_jwt").hex(),
        "AIRFLOW__API__SECRET_KEY": keys.secret("airflow_api").hex(),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "ACEQUIA_HOME": str(settings.home),
        "ACEQUIA_CONFIG": str(settings.config),
        "ACEQUIA_LAKE": settings.lake,
        "ACEQUIA_LANDING": settings.landing,
        "ACEQUIA_DATABASE": settings.database,
        "ACEQUIA_PRELOAD": "1",
        "PYTHONPATH": f"{project / 'plugins'}:{project}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
    }
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **made, **extra}


@contextmanager
def running(
    settings: Settings, project: Path, *, extra: Mapping[str, str] | None = None, say: Callable[[str], None] = print
) -> Iterator[Airflow]:
    """Airflow from start to stop; whatever happens inside, none of its processes is left."""
    port = free_port()
    env = environment(settings, project, port, extra or {})
    process = start(settings, env)
    try:
        yield _when_ready(settings, process, port, say)
    finally:
        stop(process)


def start(settings: Settings, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start `airflow standalone` in a session of its own; its output goes to airflow/standalone.log."""
    home = settings.home / "airflow"
    (home / "config").mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / "airflow.cfg").touch()  # otherwise Airflow writes one with all its defaults
    (home / "config" / "airflow_local_settings.py").write_text("import acequia.orchestrate.preload  # noqa: F401\n")
    passwords = home / "passwords.json"
    if not passwords.exists():
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({"admin": secrets.token_urlsafe(24)}))
    with (home / "standalone.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and Airflow
            [sys.executable, "-m", "airflow", "standalone"],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=settings.home,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask politely (standalone handles only SIGINT), then end the whole session."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _when_ready(settings: Settings, process: subprocess.Popen[bytes], port: int, say: Callable[[str], None]) -> Airflow:
    url, began = f"http://127.0.0.1:{port}", time.monotonic()
    log = settings.home / "airflow" / "standalone.log"
    threading.Thread(target=_warm, args=(url, process), daemon=True).start()
    while time.monotonic() - began < READY_WITHIN_S:
        if process.poll() is not None:
            raise AcequiaError("internal", f"Airflow ended by itself; see {log}")
        if _healthy(url):
            return Airflow(url, _login(url, settings.home / "airflow"), process, settings.home / "airflow")
        time.sleep(0.5)
    raise AcequiaError("internal", f"Airflow was not ready within {READY_WITHIN_S:.0f} s; see {log}")


def _warm(url: str, process: subprocess.Popen[bytes]) -> None:
    """Ask for the task API as soon as it answers: building it takes seconds, which the other parts need anyway."""
    while process.poll() is None:
        with suppress(httpx.HTTPError):
            httpx.get(f"{url}/execution/health", timeout=120)
            return
        time.sleep(0.2)


def _healthy(url: str) -> bool:
    try:
        health = httpx.get(f"{url}/api/v2/monitor/health", timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return False
    return all((health.get(part) or {}).get("status") == "healthy" for part in PARTS)


def _login(url: str, home: Path) -> str:
    password = json.loads((home / "passwords.json").read_text())["admin"]
    answer = httpx.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def _fernet(secret: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(secret).decode()


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
