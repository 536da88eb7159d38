"""S3, as the partner's bucket and as landing: one way to open it, one way to name what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, Literal

from acequia.errors import AcequiaError
from acequia.receive.connections import Connection

_DENIED = frozenset(
    ("403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "UnrecognizedClientException")
    + ("ExpiredToken", "InvalidToken", "AllAccessDisabled", "NoSuchBucket", "PermanentRedirect", "301")
)
_OPENING = Lock()  # sessions are not made for several threads
MISSING = frozenset(("404", "NoSuchKey", "NotFound"))


def s3_client(connection: Connection | None) -> Any:
    """A client of boto3. Without keys in the connection the usual environment of S3 clients is asked."""
    from botocore.config import Config

    given = connection or Connection()
    config = Config(
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path" if given.endpoint_url else "auto"},
        # Other makers' servers do not all know the checksums that boto3 adds of its own accord.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with _OPENING:
        return _session().client(
            "s3",
            endpoint_url=given.endpoint_url,
            region_name=given.region or ("us-east-1" if given.endpoint_url else None),
            aws_access_key_id=given.access_key,
            aws_secret_access_key=given.secret_key,
            verify=given.ca_file,
            config=config,
        )


@cache
def _session() -> Any:
    """One session a process: it reads megabytes of service descriptions, which all clients share."""
    import boto3

    return boto3.session.Session()


@contextmanager
def naming_errors(kind: Literal["source", "store"], what: str) -> Iterator[None]:
    """Turn errors of boto3 into `source_…` or `store_…`: `_denied` for logins and rights, else `_unreachable`.

    The server's own words are not repeated: they hold keys and names.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        code = code_of(error)
        denied = code in _DENIED
        said = "the bucket is not there" if code == "NoSuchBucket" else f"S3 answered {code}" if code.isalnum() else ""
        raise _failed(kind, denied, what, said) from None
    except NoCredentialsError:
        raise _failed(kind, True, what, "no access key is given") from None
    except (BotoCoreError, Boto3Error) as error:
        raise _failed(kind, False, what, type(error).__name__) from None


def code_of(error: Any) -> str:
    """S3's own code of an error, such as `NoSuchKey`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _failed(kind: Literal["source", "store"], denied: bool, what: str, said: str) -> AcequiaError:
    return AcequiaError(f"{kind}_{'denied' if denied else 'unreachable'}", f"{what}: {said}" if said else what)
