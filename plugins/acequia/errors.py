"""Every way in which work can stop: a stable code, who must act, and what to do.

A message names places that the agreement knows (partner, feed, column, file), counts and hashes. It never holds a cell
value, nor the name of a column or file that the agreement does not list: a shifted header row is a row of data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Who = Literal["partner", "engineer", "steward", "operator"]


@dataclass(frozen=True)
class Code:
    """What a code means: the exit code of `acequia run`, who must act, what to do, whether trying again can help."""

    exit_code: int
    who_acts: Who
    what_to_do: str
    retryable: bool = False


OURS, USAGE, FORBIDDEN, REFUSED, MISSING, STOPPED = 1, 2, 3, 4, 5, 6

CODES: dict[str, Code] = {
    # 1: our fault
    "internal": Code(OURS, "operator", "Read the log of this run; nothing was published, and it can be run again."),
    "rows_unaccounted": Code(OURS, "operator", "Report it: a room lost or invented rows, so the delivery was stopped."),
    "ledger_broken": Code(OURS, "steward", "Keep the database as it is and compare it with a backup and the receipts."),
    "receipt_invalid": Code(OURS, "steward", "Ask for the receipt again, and compare it with the ledger."),
    "key_missing": Code(OURS, "operator", "Restore the key store from its backup; without it landing cannot be read."),
    "connection_unknown": Code(
        OURS, "operator", "Define the connection in connections.yaml under ACEQUIA_HOME, or in Airflow."
    ),
    "connection_invalid": Code(OURS, "operator", "Correct the connection; docs/operations.md lists its fields."),
    "source_unreachable": Code(OURS, "operator", "Check the network and the partner's server.", retryable=True),
    "source_denied": Code(OURS, "operator", "Check the user and the key of the connection with the partner."),
    "landing_missing": Code(OURS, "operator", "Ask the partner to send it again: raw files go after the agreed days."),
    "store_unreachable": Code(OURS, "operator", "Check the lake's storage and its database.", retryable=True),
    "store_denied": Code(OURS, "operator", "Check the user and the key of the store's connection."),
    "reference_missing": Code(OURS, "engineer", "Add the reference table to config/reference."),
    "reference_invalid": Code(OURS, "engineer", "Correct the reference table in config/reference."),
    "calendar_ended": Code(
        OURS, "engineer", "Add the year's holidays to the calendar in config/reference; its README.md says how."
    ),
    "model_missing": Code(
        OURS, "operator", "Install the language model, or choose another by ACEQUIA_NLP; see docs/detection.md."
    ),
    "engine_failed": Code(OURS, "operator", "Read the log; check memory and disk; run it again."),
    # 2: usage
    "usage": Code(USAGE, "engineer", "See `acequia --help`."),
    "unknown_name": Code(USAGE, "engineer", "Correct the name, or what it is asked of: there is nothing of that name."),
    # 3: the agreement forbids it
    "agreement_invalid": Code(FORBIDDEN, "engineer", "Correct the agreement file; `acequia check` shows every error."),
    "agreement_expired": Code(FORBIDDEN, "steward", "Renew the agreement, or leave the feed stopped."),
    "period_outside_agreement": Code(FORBIDDEN, "steward", "Nothing was pulled: the agreement does not cover it."),
    "key_destroyed": Code(
        FORBIDDEN, "steward", "Nothing can be done with these rows again: their key was destroyed on purpose."
    ),
    "feed_paused": Code(FORBIDDEN, "steward", "Resume it with `acequia resume`; what arrives meanwhile is not lost."),
    "delivery_withdrawn": Code(
        FORBIDDEN, "partner", "These bytes were withdrawn, and stay so; other bytes are a new version."
    ),
    "path_escapes": Code(FORBIDDEN, "engineer", "Give a path inside the source's own folder, without '..'."),
    # 4: the delivery was refused
    "file_empty": Code(REFUSED, "partner", "Send the file again with its content."),
    "file_truncated": Code(REFUSED, "partner", "Send the file again; upload under another name and rename when done."),
    "file_unreadable": Code(REFUSED, "partner", "Send the file in the agreed format."),
    "file_too_large": Code(REFUSED, "partner", "Send what the agreement covers, or agree on a larger size."),
    "archive_bomb": Code(REFUSED, "partner", "Send the file with an ordinary compression ratio."),
    "encoding_wrong": Code(REFUSED, "partner", "Write the file in the agreed encoding."),
    "manifest_missing": Code(REFUSED, "partner", "Upload the manifest last, beside the files."),
    "manifest_invalid": Code(REFUSED, "partner", "Write the manifest as docs/partners.md shows."),
    "manifest_of_another_agreement": Code(REFUSED, "partner", "Send the manifest that was made for this agreement."),
    "manifest_of_another_feed": Code(REFUSED, "partner", "Send the manifest that was made for this feed."),
    "manifest_of_another_period": Code(REFUSED, "partner", "Send the manifest that was made for this period."),
    "signature_missing": Code(REFUSED, "partner", "Sign the manifest, and send manifest.jws, not manifest.json."),
    "signature_invalid": Code(REFUSED, "partner", "Sign the manifest again as docs/partners.md shows."),
    "signing_key_unknown": Code(REFUSED, "partner", "Sign with an agreed key, or have the new key agreed first."),
    "signing_key_not_valid": Code(REFUSED, "partner", "Sign with the key that is agreed for this period."),
    "encryption_missing": Code(REFUSED, "partner", "Encrypt the files with age, and send them as NAME.age."),
    "encryption_for_others": Code(REFUSED, "partner", "Encrypt to the recipients that the office gave you."),
    "encryption_broken": Code(REFUSED, "partner", "Encrypt the file again, and send it whole."),
    "rows_differ": Code(REFUSED, "partner", "Send the whole file, or correct the number of rows in the manifest."),
    "checksum_differs": Code(REFUSED, "partner", "Send the file again; what arrived is not what the manifest names."),
    "file_unlisted": Code(REFUSED, "partner", "List every file in the manifest, and send no other."),
    "file_not_sent": Code(REFUSED, "partner", "Send every file that the manifest lists."),
    "delivery_of_another_period": Code(
        REFUSED, "partner", "Send this period's own files; the very same ones came for another period."
    ),
    "correction_invalid": Code(
        REFUSED, "partner", "Change values alone in the file of `acequia set-aside`; leave its numbers and columns."
    ),
    "name_escapes": Code(REFUSED, "partner", "Use plain file names, without folders or '..'."),
    "header_repeated": Code(REFUSED, "partner", "Write the header once, as the first line."),
    "column_repeated": Code(REFUSED, "partner", "Name each column once."),
    "column_missing": Code(REFUSED, "partner", "Send every column that the agreement requires."),
    "column_unlisted": Code(REFUSED, "partner", "Send only the agreed columns, or agree on a new version."),
    "rows_outside_range": Code(REFUSED, "partner", "Check that the extract is complete and not repeated."),
    "rows_invalid": Code(REFUSED, "partner", "Correct the rows; the counts by column and reason are in the receipt."),
    "checks_failed": Code(REFUSED, "partner", "Correct the data; the failed checks are in the receipt."),
    "unlike_history": Code(
        REFUSED, "partner", "Check that the extract is whole and not doubled. If it is right, agree on wider limits."
    ),
    "personal_data_found": Code(
        REFUSED, "partner", "Remove the personal data, or agree on another treatment; on may_hold, if it only looks so."
    ),
    # 5: the delivery is missing
    "delivery_missing": Code(MISSING, "partner", "Send the delivery.", retryable=True),
    "delivery_overdue": Code(MISSING, "partner", "Send the delivery; then run the period again."),
    "delivery_unfinished": Code(MISSING, "partner", "Finish the upload: a file is still growing.", retryable=True),
    # 6: disclosure control or a budget stopped the release
    "protected_missing": Code(
        STOPPED, "steward", "The table keeps its last vintage; restating it needs these deliveries sent again."
    ),
    "canary_below_target": Code(
        STOPPED, "steward", "See `acequia canary`; drop or treat what lets people through, or agree on less."
    ),
    "protected_differs": Code(
        STOPPED, "steward", "Have these deliveries sent again, or let the change begin with a new window."
    ),
    "budget_exceeded": Code(
        STOPPED, "steward", "See `acequia budget`: leave the release out, or agree on a larger `privacy.budget`."
    ),
    "release_stopped": Code(STOPPED, "steward", "Look at the table's protection before it is released."),
    "tables_contradict": Code(
        STOPPED, "steward", "No numbers agree with what is published: look at the hierarchy, the rounding and the file."
    ),
}


class AcequiaError(Exception):
    """Work stopped, with a code out of `CODES`. `where` is a place such as `pula_mobile.events 2026-11-16`."""

    def __init__(self, code: str, what: str, *, where: str = "", do: str = "") -> None:
        known = CODES[code]
        self.code, self.what, self.where = code, what, where
        self.what_to_do = do or known.what_to_do
        self.exit_code, self.who_acts, self.retryable = known.exit_code, known.who_acts, known.retryable
        super().__init__(code, what, where, self.what_to_do)

    def __str__(self) -> str:
        """One line for logs: code, what happened, where, who acts, what to do."""
        place = f" ({self.where})" if self.where else ""
        return f"[{self.code}] {self.what}{place}. Who acts: {self.who_acts}. {self.what_to_do}"

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders, so they pickle."""
        return (_rebuild, (self.code, self.what, self.where, self.what_to_do))


def _rebuild(code: str, what: str, where: str, do: str) -> AcequiaError:
    return AcequiaError(code, what, where=where, do=do)
