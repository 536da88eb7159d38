"""Keys in files that AWS KMS has encrypted: who has the files alone has nothing.

A secret is far below the 4 KB that KMS encrypts itself, so no data key stands between. Its name is part of the
encryption context: a file put in another's place does not open.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.keys.files import FileKeyStore

_DENIED = ("AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClient", "ExpiredToken",
           "NotFoundException", "DisabledException", "InvalidKeyUsage", "KMSInvalidState")  # fmt: skip


class KmsKeyStore(FileKeyStore):
    """Secrets in `<folder>/<name>.kms`: base64 of what KMS made of them under the key of this id, ARN or alias."""

    suffix = ".kms"

    def __init__(self, folder: Path, key_id: str, login: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(folder)
        self.key_id, self._login = key_id, login
        self._made: Any = None

    def _sealed(self, name: str, text: str) -> str:
        with _naming_errors():
            answer = self._client().encrypt(KeyId=self.key_id, Plaintext=text.encode(), EncryptionContext=_about(name))
        return base64.b64encode(answer["CiphertextBlob"]).decode()

    def _opened(self, name: str, kept: str) -> str:
        with _naming_errors():
            blob = base64.b64decode(kept)
            answer = self._client().decrypt(KeyId=self.key_id, CiphertextBlob=blob, EncryptionContext=_about(name))
        return str(answer["Plaintext"].decode())

    def _client(self) -> Any:
        if self._made is None:
            import boto3
            from botocore.config import Config

            given = self._login()
            config = Config(connect_timeout=10, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
            self._made = boto3.session.Session().client(
                "kms",
                endpoint_url=given.get("endpoint_url"),
                region_name=given.get("region"),
                aws_access_key_id=given.get("access_key"),
                aws_secret_access_key=given.get("secret_key"),
                verify=given.get("ca_file"),
                config=config,
            )
        return self._made


def _about(name: str) -> dict[str, str]:
    return {"acequia": name}


@contextmanager
def _naming_errors() -> Iterator[None]:
    """The service's own words are not repeated: they name accounts and keys."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if "InvalidCiphertext" in code or "IncorrectKey" in code:
            raise AcequiaError("key_missing", "a key file does not open with this key of AWS KMS") from None
        kind = "store_denied" if code.startswith(_DENIED) else "store_unreachable"
        raise AcequiaError(kind, f"AWS KMS refused: {code if code.isalnum() else 'an error'}") from None
    except (BotoCoreError, ValueError) as error:
        raise AcequiaError("store_unreachable", f"AWS KMS could not be asked: {type(error).__name__}") from None
