"""The fixture of a whole installation, to hold preflight against."""

from tests.pipeline.conftest import world

__all__ = ["world"]
