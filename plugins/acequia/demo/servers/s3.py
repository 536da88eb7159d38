"""An S3 server that checks signatures, users and policies: MiniStack, on 127.0.0.1, in a process of its own.

MiniStack does not check the secret of its root key, so the root key's id is random and never leaves this module.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acequia.demo.servers.child import LOOPBACK, free_port, running
from acequia.receive.connections import Connection

REGION = "us-east-1"


@dataclass(frozen=True)
class S3Server:
    """A running server. `bucket` makes buckets, each with a user who can reach nothing else."""

    endpoint_url: str
    root: Connection

    def bucket(self, name: str) -> Connection:
        """Make the bucket and a user of its own; the user's login."""
        import boto3

        login = {
            "endpoint_url": self.endpoint_url,
            "region_name": REGION,
            "aws_access_key_id": self.root.access_key,
            "aws_secret_access_key": self.root.secret_key,
        }
        boto3.client("s3", **login).create_bucket(Bucket=name)
        users, user = boto3.client("iam", **login), f"{name}-user"
        users.create_user(UserName=user)
        users.put_user_policy(UserName=user, PolicyName="own-bucket", PolicyDocument=json.dumps(_policy(name)))
        key = users.create_access_key(UserName=user)["AccessKey"]
        return self.root.model_copy(update={"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]})


def _policy(bucket: str) -> dict[str, Any]:
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": everything}]}


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run the server until the block ends. What it holds is gone then."""
    port, key_id, secret = free_port(), f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
    with tempfile.TemporaryDirectory(prefix="acequia-s3-", ignore_cleanup_errors=True) as folder:
        environ = {
            "AUTH": "true",
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "SERVICES": "s3,iam,sts,kms",
            "S3_PERSIST": "1",
            "S3_DATA_DIR": f"{folder}/objects",
            "STATE_DIR": f"{folder}/state",
            "TMPDIR": folder,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "ERROR",
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        command = [sys.executable, "-m", "ministack"]
        with running(command, port=port, log=Path(folder) / "server.log", environ=environ):
            endpoint = f"http://{LOOPBACK}:{port}"
            root = Connection(endpoint_url=endpoint, region=REGION, access_key=key_id, secret_key=secret)
            yield S3Server(endpoint, root)
