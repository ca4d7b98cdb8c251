"""The least that answers these calls: a bare handler, psycopg, and JSON that Postgres builds.

It believes the path who calls, checks nothing and logs nothing: what is fast at most, and no API.
"""

import base64
import json
import os
from typing import Any
from urllib.parse import parse_qs

import psycopg

_COLUMNS = """
    id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at,
    updated_at
"""
_THIS_TASK = "user_id = %(user_id)s AND id = %(task_id)s"

_LIST = f"""
    SELECT coalesce(json_agg(task), '[]')::text FROM (
        SELECT {_COLUMNS} FROM tasks WHERE user_id = %(user_id)s
        ORDER BY created_at DESC, id DESC LIMIT %(limit)s
    ) AS task
"""
_READ = f"""
    SELECT row_to_json(task)::text FROM (SELECT {_COLUMNS} FROM tasks WHERE {_THIS_TASK}) AS task
"""
_CREATE = f"""
    WITH task AS (
        INSERT INTO tasks (user_id, title) VALUES (%(user_id)s, %(title)s) RETURNING {_COLUMNS}
    )
    SELECT row_to_json(task)::text FROM task
"""
_CHANGE = f"""
    WITH task AS (
        UPDATE tasks SET title = %(title)s WHERE {_THIS_TASK} RETURNING {_COLUMNS}
    )
    SELECT row_to_json(task)::text FROM task
"""
_FLIP = f"""
    WITH task AS (
        UPDATE tasks SET is_completed = NOT is_completed WHERE {_THIS_TASK} RETURNING {_COLUMNS}
    )
    SELECT row_to_json(task)::text FROM task
"""
_DELETE = f"DELETE FROM tasks WHERE {_THIS_TASK} RETURNING ''"

keys: dict[str, Any] = {}
"""What to log in with instead of the password, if anything: see floor_with_keys.py."""

Event = dict[str, Any]
Answer = dict[str, Any]


def list_tasks(event: Event, _context: object) -> Answer:
    """GET /api/{user_id}/tasks."""
    (limit,) = parse_qs(event["rawQueryString"]).get("limit", ["100"])
    return _answer(200, _LIST, event, limit=int(limit))


def read_task(event: Event, _context: object) -> Answer:
    """GET /api/{user_id}/tasks/{task_id}."""
    return _answer(200, _READ, event)


def create_task(event: Event, _context: object) -> Answer:
    """POST /api/{user_id}/tasks."""
    return _answer(201, _CREATE, event, title=_read_body(event)["title"])


def update_task(event: Event, _context: object) -> Answer:
    """PATCH /api/{user_id}/tasks/{task_id}."""
    return _answer(200, _CHANGE, event, title=_read_body(event)["title"])


def toggle_task_status(event: Event, _context: object) -> Answer:
    """PATCH /api/{user_id}/tasks/{task_id}/toggle-status."""
    return _answer(200, _FLIP, event)


def delete_task(event: Event, _context: object) -> Answer:
    """DELETE /api/{user_id}/tasks/{task_id}."""
    return _answer(204, _DELETE, event)


def _read_body(event: Event) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(base64.b64decode(event["body"]))
    return body


def _answer(status: int, sql: str, event: Event, **values: object) -> Answer:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, **keys) as connection:
        row = connection.execute(sql, {**event["pathParameters"], **values}).fetchone()
    if row is None:
        return {"statusCode": 404}
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": row[0],
    }
