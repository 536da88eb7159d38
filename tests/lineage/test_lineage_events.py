"""Events say where data comes from, in OpenLineage's words, and hold nothing of anyone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from acequia.agreement.load import load
from acequia.errors import AcequiaError
from acequia.lineage import build, names
from acequia.lineage.columns import treatment_in_words
from acequia.lineage.events import Lineage, open_lineage
from acequia.settings import Settings
from tests.lineage.told import (
    OWN_SCHEMAS,
    PARTNERS,
    Steps,
    agreement,
    facets_of,
    spec_folder,
    steps_of,
    told,
    validator,
)

NOW = datetime(2026, 11, 17, 6, tzinfo=UTC)
FEEDS = [(path, feed) for path in PARTNERS for feed in load(path).agreement.feeds]
Event = dict[str, Any]


@pytest.fixture
def lineage(settings: Settings) -> Lineage:
    return open_lineage(settings, lambda: NOW)


@pytest.fixture(scope="session")
def wrong() -> Callable[[Mapping[str, Any]], list[str]]:
    """What the specification forbids in an event."""
    spec = spec_folder()
    if spec is None:
        pytest.skip("the OpenLineage specification's schemas are not here (ACEQUIA_TEST_SHARED)")
    return validator(spec)  # type: ignore[no-any-return]


def events_of(steps: Steps) -> dict[str, Event]:
    disclosed, release = steps.published[0]
    given = (steps.signed, steps.feed_name)
    refusal = AcequiaError("checks_failed", "2 of 9 checks failed")
    versions = {str(steps.raw.delivery): names.protected_version(steps.protected)}
    schema = {"period": "string", "subscribers_count": "int64"}
    return {
        "received": build.received(*given, steps.raw, NOW),
        "protected": build.protected(*given, steps.raw, steps.protected, NOW),
        "validated": build.validated(*given, steps.protected, steps.validated, NOW),
        "published": build.published(
            *given, disclosed, release, NOW, lake="s3://lake/curated", versions=versions, schema=schema
        ),
        "refused": build.refused(*given, steps.raw.delivery, refusal, NOW),
    }


@pytest.mark.parametrize(("path", "feed"), FEEDS, ids=[f"{path.stem}.{feed}" for path, feed in FEEDS])
def test_events_of_every_feed_are_valid(path: Path, feed: str, wrong: Callable[[Event], list[str]]) -> None:
    for name, event in events_of(steps_of(load(path), feed)).items():
        assert wrong(event) == [], name


def test_a_broken_event_would_be_noticed(wrong: Callable[[Event], list[str]]) -> None:
    event = events_of(steps_of(agreement(), "events"))["published"]
    event["run"]["runId"] = "nope"
    event["run"]["facets"]["acequia_agreement"].pop("sha256")
    event["outputs"][0]["facets"]["acequia_disclosure"]["cells"] = -1
    assert len(wrong(event)) >= 3


def test_own_facets_name_schemas_that_are_there() -> None:
    known = {json.loads(path.read_bytes())["$id"]: path.stem for path in OWN_SCHEMAS.glob("*.json")}
    for event in events_of(steps_of(agreement(), "events")).values():
        for facets in facets_of(event):
            for name, facet in facets.items():
                document, _, place = facet["_schemaURL"].partition("#/$defs/")
                assert not name.startswith("acequia_") or known[document] == place


def test_the_producer_is_us_whatever_the_client_was_told() -> None:
    for event in events_of(steps_of(agreement(), "events")).values():
        assert event["producer"].startswith("urn:acequia:")
        assert {facet["_producer"] for facets in facets_of(event) for facet in facets.values()} == {event["producer"]}


def test_no_file_name_and_no_path_of_a_machine_is_in_an_event() -> None:
    whole = json.dumps(events_of(steps_of(agreement(), "events")))
    for word in ("Boitumelo", "71 234 567", "/nowhere", "landing/Boitumelo", "@pula.example"):
        assert word not in whole


def test_the_same_step_has_the_same_run_and_another_reading_another_run() -> None:
    one, again = (events_of(steps_of(agreement(), "events")) for _ in range(2))
    other = events_of(steps_of(agreement(), "events", made_by="f" * 64))
    run = {name: event["run"]["runId"] for name, event in one.items()}
    assert {name: event["run"]["runId"] for name, event in again.items()} == run
    assert len(set(run.values())) == 5
    differing = {name for name, event in other.items() if event["run"]["runId"] != run[name]}
    assert differing == {"protected", "validated", "published"}
    parents = {event["run"]["facets"].get("parent", {}).get("run", {}).get("runId") for event in one.values()}
    assert parents == {run["refused"], None}


def test_treatments_are_told_column_by_column() -> None:
    feed = agreement().agreement.feed("events")
    event = events_of(steps_of(agreement(), "events"))["protected"]
    fields = event["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert list(fields) == list(feed.kept)
    for name, key in feed.kept.items():
        column = feed.columns[key]
        (how,) = fields[name]["inputFields"][0]["transformations"]
        assert fields[name]["inputFields"][0]["field"] == (column.from_ or key)
        assert how["masking"] is (column.treat != "keep")
        assert how["subtype"] == ("IDENTITY" if column.treat == "keep" else "TRANSFORMATION")
    assert fields["msisdn"]["inputFields"][0]["transformations"][0]["description"] == "pseudonym"
    arriving = event["inputs"][0]["facets"]["schema"]["fields"]
    dropped = {field["name"] for field in arriving if field["description"] == "treatment: drop"}
    assert dropped == {key for key, column in feed.columns.items() if column.treat == "drop" and column.from_ is None}


AGREED = """\
partner: tidal
name: Tidal Ferries
country: BW
terms:
  version: "1"
  legal_basis: Act 1
  purposes: [official_statistics]
  signed_on: 2026-01-01
  expires_on: 2028-12-31
  raw_kept_days: 1
  protected_kept_days: 40
  contacts: {partner: a@tidal.example, steward: b@stats.example, dpo: c@stats.example}
  recipients: [statistics_office]
feeds:
  trips:
    describe: One row per trip.
    delivery:
      source: {type: s3, connection: tidal_s3, bucket: tidal-out, path: "trips/{period}/*.parquet"}
      format: parquet
      schedule: "0 6 * * *"
      timezone: Africa/Gaborone
      period: month
      due_within_hours: 30
    columns:
      rider:       {type: string,    treat: pseudonym}
      boarded_at:  {type: timestamp, treat: {truncate_to: hour}, as: boarded_hour}
      left_at:     {type: timestamp, treat: {seconds_since: boarded_at}, as: ride_s}
      Pier Code:   {type: string,    treat: {lookup: {table: piers, value: region}}, as: region}
      age:         {type: integer,   treat: {band: [0, 18, 65]}}
      km:          {type: number,    treat: keep}
      kind:        {type: string,    treat: keep}
      weekday:     {type: timestamp, treat: {part: weekday}, from: boarded_at}
    rows: {period_column: boarded_at}
    tables:
      speed_by_region:
        describe: One row per region and hour.
        by: [region, boarded_hour]
        hierarchy: {region: [country, region]}
        where: kind <> 'age'
        measures:
          trips_count:  {count: rows, describe: Trips.}
          riders_count: {count_distinct: rider}
          km_sum:       {sum: "km * 2", where: age IS NOT NULL}
          speed:        {ratio: {of: km, to: ride_s}}
          km_median:    {median: km}
        protect: {contributor: rider, min_contributors: 10}
      public_trips:
        describe: One row per kind.
        by: [kind]
        measures: {km_mean: {mean: km}}
        protect: {none_because: it is public}
"""


@pytest.fixture
def tidal(tmp_path: Path) -> Steps:
    (tmp_path / "tidal.yaml").write_text(AGREED)
    return steps_of(load(tmp_path / "tidal.yaml"), "trips")


def ways(event: Event) -> dict[str, list[tuple[str, str, str, bool]]]:
    facet = event["outputs"][0]["facets"]["columnLineage"]
    found = {**{name: told["inputFields"] for name, told in facet["fields"].items()}, "*": facet["dataset"]}
    return {
        name: [
            (field["field"], how["subtype"], how.get("description", ""), how["masking"])
            for field in fields
            for how in field["transformations"]
        ]
        for name, fields in found.items()
    }


def test_every_kind_of_treatment_has_its_words(tidal: Steps) -> None:
    said = {key: treatment_in_words(column) for key, column in tidal.feed.columns.items()}
    assert said == {
        "rider": "pseudonym",
        "boarded_at": "truncate_to hour",
        "left_at": "seconds_since boarded_at",
        "Pier Code": "lookup piers.region",
        "age": "band 0.0 18.0 65.0",
        "km": "keep",
        "kind": "keep",
        "weekday": "part weekday",
    }


def test_protected_columns_name_all_columns_that_they_come_from(tidal: Steps) -> None:
    found = ways(events_of(tidal)["protected"])
    assert [field for field, *_ in found["ride_s"]] == ["left_at", "boarded_at"]
    assert [field for field, *_ in found["weekday"]] == ["boarded_at"]
    assert [field for field, *_ in found["region"]] == ["Pier Code"]
    assert found["*"] == [("boarded_at", "FILTER", "rows outside the period are set aside", False)]


def test_measures_name_the_columns_of_their_expressions(tidal: Steps) -> None:
    found = ways(events_of(tidal)["published"])
    assert found["trips_count"] == []
    assert found["riders_count"] == [("rider", "AGGREGATION", "count_distinct rider", True)]
    assert [field for field, *_ in found["km_sum"]] == ["km", "age"]
    assert found["speed"][0][2] == "ratio of sum km to sum ride_s"
    assert [field for field, *_ in found["speed"]] == ["km", "ride_s"]
    assert found["region"] == [("region", "TRANSFORMATION", "with totals by country, region", False)]
    assert found["boarded_hour"] == [("boarded_hour", "IDENTITY", "group", False)]
    assert found["contributors_count"] == [("rider", "AGGREGATION", "count_distinct", True)]
    assert found["withheld_because"][0][1] == "CONDITIONAL"
    # The constant 'age' in `where` is no column.
    assert [(field, how) for field, how, *_ in found["*"]] == [
        ("kind", "FILTER"),
        ("region", "GROUP_BY"),
        ("boarded_hour", "GROUP_BY"),
    ]


def test_a_table_says_what_it_is_where_it_is_and_what_was_withheld(tidal: Steps) -> None:
    event = events_of(tidal)["published"]
    (table,) = event["outputs"]
    assert (table["namespace"], table["name"]) == ("acequia", "tidal.speed_by_region")
    facets = table["facets"]
    assert facets["documentation"]["description"] == "One row per region and hour."
    assert facets["version"]["datasetVersion"] == "1"
    assert facets["symlinks"]["identifiers"][0]["namespace"] == "s3://lake"
    assert facets["acequia_disclosure"]["withheld"] == {"min_contributors": 2}
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 12
    assert event["run"]["facets"]["nominalTime"]["nominalStartTime"] == "2026-11-01T00:00:00+02:00"
    assert event["run"]["facets"]["acequia_agreement"]["legalBasis"] == "Act 1"
    source = events_of(tidal)["received"]["inputs"][0]
    assert (source["namespace"], source["name"]) == ("s3://tidal_s3", "tidal-out/trips/{period}/*.parquet")


def test_the_schema_of_a_table_is_that_of_its_file(tidal: Steps, lineage: Lineage, tmp_path: Path) -> None:
    path = tmp_path / "disclosed.parquet"
    pq.write_table(pa.table({"region": ["a"], "trips_count": [1]}), path)
    tidal.tell(lineage)
    disclosed, release = tidal.published[0]
    lineage.published(
        tidal.signed,
        "trips",
        disclosed.model_copy(update={"path": str(path)}),
        release.model_copy(update={"snapshot_id": 99}),
    )
    fields = told(lineage)[-1]["outputs"][0]["facets"]["schema"]["fields"]
    assert [(field["name"], field["type"], field.get("description")) for field in fields] == [
        ("region", "string", None),
        ("trips_count", "int64", "Trips."),
    ]


def test_what_a_transform_makes_may_come_from_every_protected_column(tmp_path: Path) -> None:
    text = AGREED.replace("    tables:\n", "    transform: mobility.active_subscribers\n    tables:\n")
    (tmp_path / "tidal.yaml").write_text(text.replace('{sum: "km * 2", where: age IS NOT NULL}', "{sum: made_up}"))
    steps = steps_of(load(tmp_path / "tidal.yaml"), "trips")
    found = ways(events_of(steps)["published"])
    assert {field for field, *_ in found["km_sum"]} == set(steps.feed.kept)
    assert {said for _, _, said, _ in found["km_sum"]} == {"transforms/mobility.active_subscribers"}


def test_a_refusal_is_a_run_that_failed() -> None:
    event = events_of(steps_of(agreement(), "events"))["refused"]
    assert event["eventType"] == "FAIL"
    assert event["job"]["name"] == "pula_mobile.events"
    assert event["run"]["facets"]["errorMessage"]["message"] == "[checks_failed] 2 of 9 checks failed"
