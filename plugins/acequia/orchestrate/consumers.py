"""What a consumer's own DAG needs: the asset of a table to schedule on, and the table's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Asset

if TYPE_CHECKING:
    import pandas as pd


def asset(name: str) -> Asset:
    """The asset of `<partner>.<table>`. Its partitions are the periods that the table was published for."""
    return Asset(name=name, uri=f"acequia://lake/{name.replace('.', '/')}", group="acequia")


def read_table(name: str, period: str | None = None) -> pd.DataFrame:
    """A published table, or one period of it: one row per cell. Withheld cells are rows without numbers."""
    from acequia.opening import lake_of
    from acequia.settings import Settings

    frame: pd.DataFrame = lake_of(Settings.from_environment()).read(name, period=period).to_pandas()
    return frame
