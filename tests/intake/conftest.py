"""One installation with a running upload server for a module's tests; each test takes days of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.intake.serving import Server, server, token_of, upload_world
from tests.pipeline.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return upload_world(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def running(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(world, tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture(scope="module")
def token(world: World) -> str:
    return token_of(world)


@pytest.fixture
def client(running: Server, token: str) -> Iterator[httpx.Client]:
    with running.client(token) as found:
        yield found
