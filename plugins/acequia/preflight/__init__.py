"""Preflight: a delivery judged on the partner's own premises, by the rooms of the server, before it is sent.

No ledger, no lake, no source and no network: what needs one of them is named as not judged. Keys are made for the
moment; everything that is written lies in a private folder, which is gone at the end. Nothing here imports a database,
a client of some server, or Airflow: `requirements/preflight.txt` is all that it needs.
"""

from acequia.preflight.judged import Forecast, Judged, Reason
from acequia.preflight.rooms import Asked, preflight

__all__ = ["Asked", "Forecast", "Judged", "Reason", "preflight"]
