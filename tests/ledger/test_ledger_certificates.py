"""Certificates of releases: made of the ledger alone, verified with the public key alone, never another's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from acequia.errors import AcequiaError
from acequia.flow import Below, DeliveryId, Risk
from acequia.ledger.book import Ledger
from acequia.ledger.certificates import is_certificate, verify_certificate
from acequia.ledger.chain import Draft, Place
from acequia.ledger.receipts import keys_path
from tests.ledger.deeds import FEED, ONE, PARTNER, TABLE, count, publish, register, run_through, sha

DELIVERY = DeliveryId(partner=PARTNER, feed=FEED, period="2026-11-16", version=1)
RISK = Risk(person="msisdn", quasi_identifiers=("district",), rows=97, rows_of_nobody=0, people=40, classes=9, k=2,
            k_rows=3, below={2: Below(people=0, rows=0), 3: Below(people=2, rows=6)},
            unique_by={"district": 0})  # fmt: skip


def certified(ledger: Ledger) -> Path:
    delivery = register(ledger)
    ledger.accept(delivery, count=count(), made_by=ONE, risk=RISK)
    ledger.note(Place(PARTNER, FEED), Draft("canary", "canary/1", {"recall": {"phone": 100.0}}))
    publish(ledger, delivery)
    (path,) = ledger.certify(delivery)
    return path


def test_a_certificate_tells_what_stands_behind_a_release(sqlite_ledger: Ledger, home: Path) -> None:
    path = certified(sqlite_ledger)
    assert path.parent == home / "certificates" / PARTNER / TABLE / "2026-11-16"
    said = verify_certificate(path, keys_path(home)).claims
    assert is_certificate(path)
    assert (said["kind"], said["table"], said["period"]) == ("release", f"{PARTNER}.{TABLE}", "2026-11-16")
    assert said["disclosure"] == {"rules": {"min_contributors": 15}, "cells": 12,
                                  "cells_withheld": {"min_contributors": 2, "secondary": 1}}  # fmt: skip
    (behind,) = said["deliveries"]
    assert behind["risk"]["k"] == 2 and behind["risk"]["below"]["3"] == {"people": 2, "rows": 6}
    assert behind["agreement"]["version"] == "1.2" and behind["rows"]["rows_in"] == 100
    assert behind["content_sha256"] == sha("A")
    assert said["canary"]["recall"] == {"phone": 100.0}
    assert sqlite_ledger.verify() == []


def test_written_again_it_is_the_same(sqlite_ledger: Ledger) -> None:
    path = certified(sqlite_ledger)
    before = path.read_bytes()
    path.unlink()
    sqlite_ledger.note(Place(PARTNER, FEED), Draft("canary", "canary/2", {"recall": {"phone": 0.0}}))
    assert sqlite_ledger.certify(DELIVERY) == [path]
    assert path.read_bytes() == before, "what was noted later is no part of it"


def test_each_release_has_its_own(sqlite_ledger: Ledger) -> None:
    delivery = run_through(sqlite_ledger)
    publish(sqlite_ledger, delivery, "2026-11")
    assert len({path.parent for path in sqlite_ledger.certify(delivery)}) == 2


def test_tampering_is_found(sqlite_ledger: Ledger, home: Path) -> None:
    path = certified(sqlite_ledger)
    head, body, signature = path.read_text().split(".")
    path.write_text(".".join((head, body[:-4] + "AAAA", signature)))
    with pytest.raises(AcequiaError, match="not valid"):
        verify_certificate(path, keys_path(home))
    assert [finding.kind for finding in sqlite_ledger.verify()] == ["certificate_wrong"]
    with pytest.raises(AcequiaError, match="tampered"):
        sqlite_ledger.certify(DELIVERY)
