"""The servers of the demonstration: they start, they are guarded, and nothing of them outlives their process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
import sqlalchemy as sa
from botocore.exceptions import ClientError

from acequia.demo.servers import sql
from acequia.demo.servers.child import free_port, running
from acequia.errors import AcequiaError
from acequia.receive.connections import Connection


def s3_client(connection: Connection):
    return boto3.client(
        "s3",
        endpoint_url=connection.endpoint_url,
        region_name=connection.region,
        aws_access_key_id=connection.access_key,
        aws_secret_access_key=connection.secret_key,
    )


def test_a_database_of_ones_own_and_a_reader_who_may_only_read(postgres_server: sql.SqlServer):
    owner = sa.create_engine(postgres_server.database("kept"), poolclass=sa.NullPool)
    reader = sa.create_engine(postgres_server.reader("kept", "kept_reader").url, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.execute(sa.text("CREATE TABLE trips AS SELECT 1 AS n"))
    with reader.begin() as connection:
        assert connection.execute(sa.text("SELECT n FROM trips")).scalar() == 1
    with reader.begin() as connection, pytest.raises(sa.exc.ProgrammingError):
        connection.execute(sa.text("INSERT INTO trips VALUES (2)"))


def test_a_database_needs_its_password(postgres_url: str):
    wrong = sa.make_url(postgres_url).set(password="guessed")
    with pytest.raises(sa.exc.OperationalError):
        sa.create_engine(wrong).connect()


def test_a_user_reaches_only_the_own_bucket(s3_server, s3_bucket):
    name, login = s3_bucket
    s3_client(login).put_object(Bucket=name, Key="a", Body=b"1")
    s3_server.bucket(f"{name}-other")
    for client, bucket in (
        (s3_client(login), f"{name}-other"),
        (s3_client(login.model_copy(update={"secret_key": "guessed"})), name),
    ):
        with pytest.raises(ClientError):
            client.list_objects_v2(Bucket=bucket)


def test_binaries_out_of_reach_are_copied(monkeypatch: pytest.MonkeyPatch):
    place, runs = next(sql._installed()), sql._runs
    monkeypatch.setattr(sql, "_installed", lambda: iter([place]))
    monkeypatch.setattr(sql, "_runs", lambda at, identity: at != place and runs(at, identity))
    with sql.sql_server() as server:
        assert server.database("elsewhere").startswith("postgresql")


def test_a_server_that_does_not_start_is_an_error(tmp_path: Path):
    log = tmp_path / "server" / "log"
    log.parent.mkdir()
    with (
        pytest.raises(AcequiaError, match="did not start"),
        running([sys.executable, "-c", "raise SystemExit(3)"], port=free_port(), log=log),
    ):
        pass


def test_no_server_outlives_a_killed_process(tmp_path: Path):
    mark = tmp_path / "server" / "pid"
    mark.parent.mkdir()
    port = free_port()
    server = (
        "import os,pathlib,socket,time;"
        f"s=socket.create_server(('127.0.0.1',{port}));"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()));"
        "time.sleep(60)"
    )
    parent = (
        "import sys,time;from pathlib import Path;from acequia.demo.servers.child import running\n"
        f"with running([sys.executable,'-c',{server!r}],port={port},log=Path({str(mark)!r})):\n"
        " print('up',flush=True);time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    child = int((tmp_path / "pid").read_text())
    os.kill(child, 0)
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (mark.parent.exists() or Path(f"/proc/{child}").exists()):
        time.sleep(0.05)
    assert not mark.parent.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
