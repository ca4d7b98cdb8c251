"""Where a page ended: keyset cursors, opaque to callers and good for one listing only."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from shared.callers import Caller
from shared.errors import CursorInvalid
from shared.models import TaskQuery, parse_instant

RANKS = ("low", "medium", "high")
TITLE_KEY_LENGTH = 400
"""Characters of a title that order a listing: more would not fit an index entry of Postgres."""


class Position(NamedTuple):
    """The sort key and the id of the last task of a page."""

    key: str | int
    id: str


def encode_cursor(caller: Caller, query: TaskQuery, last: Mapping[str, Any]) -> str:
    """The cursor for what follows `last`, a task as it is answered."""
    payload = [_fingerprint(caller, query), _sort_key(query.sort, last), last["id"]]
    # A cursor is sent in a URL, for which API Gateway has little room: an emoji that is escaped
    # takes three times as much as one that is not.
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(caller: Caller, query: TaskQuery) -> Position | None:
    """Where the listing goes on, or None at its beginning.

    Raises CursorInvalid for a cursor that this listing of this caller did not give out.
    """
    if query.cursor is None:
        return None
    try:
        padding = "=" * (-len(query.cursor) % 4)
        text = base64.b64decode(query.cursor + padding, altchars=b"-_", validate=True)
        fingerprint, key, task_id = json.loads(text)
        if fingerprint != _fingerprint(caller, query):
            raise CursorInvalid
        return Position(_checked_key(query.sort, key), str(UUID(task_id)))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CursorInvalid from error


def _fingerprint(caller: Caller, query: TaskQuery) -> str:
    listing = query.model_dump(mode="json", exclude={"limit", "cursor", "with_total"})
    text = json.dumps([caller.user_id, listing], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _sort_key(sort: str, task: Mapping[str, Any]) -> str | int:
    column = sort.removeprefix("-")
    value = task[column]
    if column == "priority":
        return RANKS.index(value)
    if column == "title":
        return str(value)[:TITLE_KEY_LENGTH]
    if value is None:  # a task without due_at comes last in both directions
        return "-infinity" if sort == "-due_at" else "infinity"
    return str(value)


def _checked_key(sort: str, key: Any) -> str | int:
    """`key`, which came from outside, if _sort_key could have made it; ValueError if not."""
    column = sort.removeprefix("-")
    if column == "priority":
        if key not in range(len(RANKS)):
            raise ValueError("no rank")
        return int(key)
    if column == "title":
        if "\0" in key:
            raise ValueError("NUL")
        return str(key.encode(), "utf-8")
    return str(key) if key in ("infinity", "-infinity") else parse_instant(key).isoformat()
