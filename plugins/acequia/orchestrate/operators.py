"""The tasks of a feed's DAG. Each opens the work, calls one step of pipeline.py, and passes on a delivery's id."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from acequia.errors import AcequiaError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from acequia.work import Work


class FeedOperator(BaseOperator):
    """What the tasks of a feed share: they know partner and feed, and speak plainly when they stop."""

    ui_color = "#dceefb"

    def __init__(self, *, partner: str, feed: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.partner, self.feed = partner, feed

    def open(self, context: Context) -> Work:
        """The work for the run's partition."""
        from acequia.opening import open_work
        from acequia.orchestrate.connections import airflow_resolver
        from acequia.settings import Settings

        settings = Settings.from_environment()
        return open_work(
            settings,
            self.partner,
            self.feed,
            period_of(context),
            connect=airflow_resolver(settings),
            say=self.log.info,
        )

    def delivery(self, context: Context) -> Any:
        """The delivery that `receive` named."""
        from acequia.flow import DeliveryId

        return DeliveryId.parse(context["ti"].xcom_pull(task_ids="receive"))


class WaitForDelivery(FeedOperator):
    """Waits, deferred, until a complete delivery is at the source; skips a day on which nothing is due."""

    def __init__(self, *, poke_s: float = 60.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.poke_s = poke_s

    def execute(self, context: Context) -> None:
        """Look once; defer only if nothing is there yet."""
        from datetime import UTC, datetime

        from acequia.orchestrate import waiting
        from acequia.orchestrate.connections import airflow_resolver
        from acequia.orchestrate.trigger import DeliveryTrigger
        from acequia.settings import Settings

        settings, period = Settings.from_environment(), period_of(context)
        with plain_errors():
            waiting.require_not_paused(settings, self.partner, self.feed, airflow_resolver(settings))
            signed, due = waiting.terms(settings, self.partner, self.feed, period)
            if waiting.is_there(settings, signed, self.feed, period, airflow_resolver(settings)):
                return
            if due is None:
                raise AirflowSkipException(f"nothing is due for {period}: a holiday, or a weekday without delivery")
            if datetime.now(UTC) > due:
                raise _missing(self.partner, self.feed, period)
        self.defer(
            trigger=DeliveryTrigger(self.partner, self.feed, period, due.isoformat(), self.poke_s),
            method_name="resume",
        )

    def resume(self, context: Context, event: dict[str, str]) -> None:
        """Go on when it arrived; fail when it is overdue."""
        if event["status"] == "missing":
            from acequia.orchestrate import waiting
            from acequia.orchestrate.connections import airflow_resolver
            from acequia.settings import Settings

            settings = Settings.from_environment()
            with plain_errors():
                waiting.require_not_paused(settings, self.partner, self.feed, airflow_resolver(settings))
                raise _missing(self.partner, self.feed, period_of(context))


class Receive(FeedOperator):
    """Pulls the delivery into landing. Content that was published before ends the run here, successfully."""

    def execute(self, context: Context) -> str:
        """Returns the delivery's id."""
        from acequia import pipeline

        with plain_errors():
            work = self.open(context)
            delivery = pipeline.receive(work)
            if pipeline.repeated(work, delivery):
                raise AirflowSkipException(f"{delivery}: the same content was published before")
        return str(delivery)


class Protect(FeedOperator):
    """Treats every column as agreed; only protected rows leave."""

    def execute(self, context: Context) -> dict[str, int]:
        """Returns counts."""
        from acequia import pipeline
        from acequia.withdrawal import taking_back

        with plain_errors(), taking_back(work := self.open(context)):
            count = pipeline.protect(work, self.delivery(context)).count
        return {"rows_in": count.rows_in, "rows_out": count.rows_out}


class Validate(FeedOperator):
    """Lets Great Expectations judge; a refusal stops the run."""

    def execute(self, context: Context) -> dict[str, int]:
        """Returns counts."""
        from acequia import pipeline
        from acequia.withdrawal import taking_back

        with plain_errors(), taking_back(work := self.open(context)):
            validated = pipeline.validate(work, self.delivery(context))
        return {"checks": len(validated.checks)}


class Publish(FeedOperator):
    """Aggregates, withholds, publishes, signs. What this delivery brought up to date is announced to consumers.

    A repeated delivery ends before this task. So a table that did not change here was committed by an earlier try of
    this very task, which was killed before it could tell anyone.
    """

    outlets: list[Any]

    def execute(self, context: Context) -> dict[str, str]:
        """Returns table -> windows brought up to date."""
        from acequia import pipeline

        with plain_errors():
            work, delivery = self.open(context), self.delivery(context)
            published = pipeline.publish(work, delivery, pipeline.aggregate(work, delivery))
        told: dict[str, list[Any]] = {}
        for part in published:
            told.setdefault(part.table, []).append(part)
        announced: list[Any] = [asset for asset in self.outlets if asset.name in told]
        self.outlets = announced
        for asset in announced:
            event = context["outlet_events"][asset]
            event.add_partitions([part.period for part in told[asset.name]])
            event.extra = {part.period: str(part.snapshot_id) for part in told[asset.name]}
        return {table: ", ".join(part.period for part in parts) for table, parts in told.items()}


class Housekeeping(BaseOperator):
    """Deletes what is past its days, closes windows, expires and compacts the lake."""

    def execute(self, context: Context) -> dict[str, int]:
        """Returns deed -> how many."""
        from acequia.settings import Settings
        from acequia.upkeep import keep

        done: dict[str, int] = {}
        with plain_errors():
            for deed in keep(Settings.from_environment(), say=self.log.info):
                self.log.info("%s: %s %d", deed.deed, deed.what, deed.amount)
                done[deed.deed] = done.get(deed.deed, 0) + deed.amount
        return done


class BrokenAgreement(BaseOperator):
    """The one task of a partner whose file cannot be read: fails with what is wrong with the file."""

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Context) -> None:
        """Always fails: the file must be corrected."""
        raise AirflowFailException(self.message)


def period_of(context: Context) -> str:
    """The run's period: its partition key, or the parameter `period` where a run has no partition (`dag.test`)."""
    key = getattr(context["dag_run"], "partition_key", None) or context["params"].get("period")
    if not key:
        raise AirflowFailException(
            "[usage] This run names no period. Who acts: engineer. Trigger the DAG with a partition key such as "
            "2026-11-21, 2026-W47 or 2026-11."
        )
    return str(key)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Only transport errors are tried again. The text of an unforeseen exception may hold data: only its kind and
    place are shown.
    """
    problem = ""
    try:
        yield
    except AcequiaError as error:
        if error.retryable:
            raise
        if error.code == "feed_paused":
            raise AirflowSkipException(
                f"{error.where}: {error.what}; nothing is taken until it is resumed, and nothing is lost."
            ) from None
        problem = str(error)
    except (AirflowSkipException, AirflowFailException):
        raise
    except Exception as error:  # noqa: BLE001
        frames = "\n".join(f"  {f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(error.__traceback__))
        unforeseen = AcequiaError("internal", f"an unforeseen {type(error).__name__} stopped the step")
        problem = f"{unforeseen}\n{frames}"
    if problem:
        raise AirflowFailException(problem)


def _missing(partner: str, feed: str, period: str) -> AcequiaError:
    """Overdue: fail at once, the delivery calendar keeps the state; a later run picks up what comes."""
    return AcequiaError("delivery_overdue", "no delivery arrived in time", where=f"{partner}.{feed} {period}")
