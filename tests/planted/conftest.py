"""The fixture of a whole installation."""

from tests.pipeline.conftest import world as world
