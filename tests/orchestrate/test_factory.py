"""One DAG per feed; one partner's slip harms no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from acequia.agreement.load import load
from acequia.orchestrate.connections import translate
from acequia.orchestrate.factory import dags_of, register
from acequia.orchestrate.operators import plain_errors
from acequia.settings import Settings

PARTNERS = sorted((Path(__file__).resolve().parents[2] / "config" / "partners").glob("*.yaml"))
STEPS = ["wait", "receive", "protect", "validate", "publish"]


@pytest.mark.parametrize("path", PARTNERS, ids=lambda path: path.stem)
def test_every_feed_has_its_dag(path: Path) -> None:
    agreement = load(path).agreement
    dags = {dag.dag_id: dag for dag in dags_of(path)}
    assert set(dags) == {f"{path.stem}.{feed}" for feed in agreement.feeds}
    for dag_id, dag in dags.items():
        feed = agreement.feeds[dag_id.split(".")[1]]
        assert path.stem in dag.tags
        assert [task.task_id for task in dag.topological_sort()] == STEPS
        assert {task.pool for task in dag.tasks} == {f"acequia_{path.stem}"}
        assert {asset.name for asset in dag.get_task("publish").outlets} == {f"{path.stem}.{t}" for t in feed.tables}
        assert agreement.name in (dag.doc_md or "")
        assert all(task.retries >= 1 for task in dag.tasks), "a killed worker must be tried again"
        dag.validate()
        first, second = (DagSerialization.to_dict(dag) for _ in range(2))
        assert first == second, "a DAG that changes with each reading makes a new version each time"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "partners").mkdir()
    for path in PARTNERS:
        shutil.copy(path, tmp_path / "partners")
    return Settings.from_environment({"ACEQUIA_HOME": str(tmp_path / "home"), "ACEQUIA_CONFIG": str(tmp_path)})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('schedule: "0 6 * * *"', 'schedule: "61 6 * * *"'),
        ("timezone: Africa/Gaborone", "timezone: Africa/Nowhere"),
        ("treat: pseudonym", "treat: pseudonim"),
        ("partner: pula_mobile", "partner: [unclosed"),
    ],
)
def test_a_broken_file_yields_one_dag_that_says_why(settings: Settings, old: str, new: str) -> None:
    broken = settings.partners / "pula_mobile.yaml"
    assert old in broken.read_text()
    broken.write_text(broken.read_text().replace(old, new, 1))
    namespace: dict[str, object] = {}
    register(namespace, settings)
    found = {dag.dag_id: dag for dag in namespace.values()}  # type: ignore[attr-defined]
    expected = {f"{path.stem}.{feed}" for path in PARTNERS for feed in load(path).agreement.feeds}
    assert set(found) == {dag for dag in expected if not dag.startswith("pula_mobile.")} | {"pula_mobile"}
    placeholder = found["pula_mobile"]
    assert "agreement_invalid" in placeholder.doc_md  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="agreement_invalid"):
        placeholder.get_task("agreement").execute({})  # type: ignore[attr-defined]


def test_unforeseen_errors_keep_their_text_to_themselves() -> None:
    with pytest.raises(Exception, match="unforeseen ValueError") as stopped, plain_errors():
        raise ValueError("Naledi Molefe, +267 71 123 456")
    assert "Naledi" not in str(stopped.value)


def test_airflow_connections_are_translated() -> None:
    sftp = translate("sftp.example", 22, "partner", "secret", {"host_key": "ssh-ed25519 AAAA"})
    assert (sftp.host, sftp.port, sftp.user, sftp.password) == ("sftp.example", 22, "partner", "secret")
    assert sftp.host_key == "ssh-ed25519 AAAA"
    s3 = translate(None, None, "AKIA", "secret", {"endpoint_url": "https://s3.example", "region_name": "eu-1"})
    assert (s3.access_key, s3.secret_key, s3.endpoint_url, s3.region) == (
        "AKIA",
        "secret",
        "https://s3.example",
        "eu-1",
    )
    web = translate("https://files.example", None, None, None, {"token": "t", "unknown": "ignored"})
    assert (web.base_url, web.token) == ("https://files.example", "t")
