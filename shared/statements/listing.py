"""Made of shared.queries.listing by `make statements`."""

RANGES: dict[tuple[str, bool, bool], str] = {
    ("created_at", False, False): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT ORDER BY tasks.created_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("created_at", False, True): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.created_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("created_at", True, False): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.created_at, tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) ORDER BY tasks.created_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("created_at", True, True): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.created_at, tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.created_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-created_at", False, False): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT ORDER BY tasks.created_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-created_at", False, True): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.created_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-created_at", True, False): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.created_at, tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) ORDER BY tasks.created_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-created_at", True, True): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.created_at, tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.created_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("updated_at", False, False): """\
SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT ORDER BY tasks.updated_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("updated_at", False, True): """\
SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.updated_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("updated_at", True, False): """\
SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.updated_at, tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) ORDER BY tasks.updated_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("updated_at", True, True): """\
SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.updated_at, tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.updated_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-updated_at", False, False): """\
SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT ORDER BY tasks.updated_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-updated_at", False, True): """\
SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.updated_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-updated_at", True, False): """\
SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.updated_at, tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) ORDER BY tasks.updated_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-updated_at", True, True): """\
SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.updated_at, tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.updated_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("due_at", False, False): """\
SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT ORDER BY (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("due_at", False, True): """\
SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("due_at", True, False): """\
SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND ((
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END), tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) ORDER BY (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("due_at", True, True): """\
SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND ((
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END), tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-due_at", False, False): """\
SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT ORDER BY (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-due_at", False, True): """\
SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-due_at", True, False): """\
SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND ((
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END), tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) ORDER BY (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-due_at", True, True): """\
SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND ((
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END), tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("priority", False, False): """\
SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank BETWEEN %(priority_rank)s::SMALLINT AND %(priority_rank)s::SMALLINT ORDER BY tasks.priority_rank ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("priority", False, True): """\
SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank BETWEEN %(priority_rank)s::SMALLINT AND %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.priority_rank ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("priority", True, False): """\
SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank BETWEEN %(priority_rank)s::SMALLINT AND %(priority_rank)s::SMALLINT AND (tasks.priority_rank, tasks.id) > (%(key)s::SMALLINT, %(id)s::UUID) ORDER BY tasks.priority_rank ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("priority", True, True): """\
SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank BETWEEN %(priority_rank)s::SMALLINT AND %(priority_rank)s::SMALLINT AND (tasks.priority_rank, tasks.id) > (%(key)s::SMALLINT, %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.priority_rank ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-priority", False, False): """\
SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank BETWEEN %(priority_rank)s::SMALLINT AND %(priority_rank)s::SMALLINT ORDER BY tasks.priority_rank DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-priority", False, True): """\
SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank BETWEEN %(priority_rank)s::SMALLINT AND %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.priority_rank DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-priority", True, False): """\
SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank BETWEEN %(priority_rank)s::SMALLINT AND %(priority_rank)s::SMALLINT AND (tasks.priority_rank, tasks.id) < (%(key)s::SMALLINT, %(id)s::UUID) ORDER BY tasks.priority_rank DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-priority", True, True): """\
SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank BETWEEN %(priority_rank)s::SMALLINT AND %(priority_rank)s::SMALLINT AND (tasks.priority_rank, tasks.id) < (%(key)s::SMALLINT, %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.priority_rank DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("title", False, False): """\
SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT ORDER BY tasks.title_key ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("title", False, True): """\
SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.title_key ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("title", True, False): """\
SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.title_key, tasks.id) > (%(key)s::VARCHAR COLLATE "C", %(id)s::UUID) ORDER BY tasks.title_key ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("title", True, True): """\
SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.title_key, tasks.id) > (%(key)s::VARCHAR COLLATE "C", %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.title_key ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-title", False, False): """\
SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT ORDER BY tasks.title_key DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-title", False, True): """\
SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.title_key DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-title", True, False): """\
SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.title_key, tasks.id) < (%(key)s::VARCHAR COLLATE "C", %(id)s::UUID) ORDER BY tasks.title_key DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-title", True, True): """\
SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = %(is_completed)s AND tasks.priority_rank = %(priority_rank)s::SMALLINT AND (tasks.title_key, tasks.id) < (%(key)s::VARCHAR COLLATE "C", %(id)s::UUID) AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE ORDER BY tasks.title_key DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
}

WHOLE_RANGES: dict[tuple[str, bool], str] = {
    ("created_at", False): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR ORDER BY tasks.created_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("created_at", True): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (tasks.created_at, tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) ORDER BY tasks.created_at ASC, tasks.id ASC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-created_at", False): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR ORDER BY tasks.created_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
    ("-created_at", True): """\
SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (tasks.created_at, tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID) ORDER BY tasks.created_at DESC, tasks.id DESC
 LIMIT %(range_rows)s::INTEGER
""",
}

PAGE = """\
SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM ranges ORDER BY sort_key ASC, id ASC
 LIMIT %(rows)s::INTEGER) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
"""

PAGE_DESCENDING = """\
SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM ranges ORDER BY sort_key DESC, id DESC
 LIMIT %(rows)s::INTEGER) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
"""

SEARCHES: dict[str, str] = {
    "created_at": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key ASC, id ASC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key ASC, id ASC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::TIMESTAMP WITH TIME ZONE IS NULL OR (tasks.created_at, tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY tasks.created_at ASC, tasks.id ASC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key ASC, id ASC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "-created_at": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key DESC, id DESC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key DESC, id DESC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, tasks.created_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::TIMESTAMP WITH TIME ZONE IS NULL OR (tasks.created_at, tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY tasks.created_at DESC, tasks.id DESC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key DESC, id DESC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "updated_at": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key ASC, id ASC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key ASC, id ASC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::TIMESTAMP WITH TIME ZONE IS NULL OR (tasks.updated_at, tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY tasks.updated_at ASC, tasks.id ASC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key ASC, id ASC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "-updated_at": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key DESC, id DESC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key DESC, id DESC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, tasks.updated_at AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::TIMESTAMP WITH TIME ZONE IS NULL OR (tasks.updated_at, tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY tasks.updated_at DESC, tasks.id DESC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key DESC, id DESC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "due_at": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key ASC, id ASC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key ASC, id ASC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::TIMESTAMP WITH TIME ZONE IS NULL OR ((
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END), tasks.id) > (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) ASC, tasks.id ASC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key ASC, id ASC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "-due_at": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key DESC, id DESC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key DESC, id DESC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::TIMESTAMP WITH TIME ZONE IS NULL OR ((
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END), tasks.id) < (%(key)s::TIMESTAMP WITH TIME ZONE, %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY (
CASE
 WHEN due_at IS NULL THEN '-infinity'
 ELSE due_at
END) DESC, tasks.id DESC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key DESC, id DESC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "priority": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key ASC, id ASC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key ASC, id ASC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::SMALLINT IS NULL OR (tasks.priority_rank, tasks.id) > (%(key)s::SMALLINT, %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY tasks.priority_rank ASC, tasks.id ASC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key ASC, id ASC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "-priority": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key DESC, id DESC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key DESC, id DESC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, tasks.priority_rank AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::SMALLINT IS NULL OR (tasks.priority_rank, tasks.id) < (%(key)s::SMALLINT, %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY tasks.priority_rank DESC, tasks.id DESC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key DESC, id DESC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "title": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key ASC, id ASC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key ASC, id ASC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::VARCHAR COLLATE "C" IS NULL OR (tasks.title_key, tasks.id) > (%(key)s::VARCHAR COLLATE "C", %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY tasks.title_key ASC, tasks.id ASC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key ASC, id ASC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
    "-title": """\
WITH nearby AS MATERIALIZED
(SELECT *
FROM (SELECT *
FROM ranges ORDER BY sort_key DESC, id DESC
 LIMIT %(range_rows)s::INTEGER) AS first
WHERE coalesce(search @@ (SELECT search_query(%(q)s::VARCHAR) AS search_query_1), true) ORDER BY sort_key DESC, id DESC
 LIMIT %(rows)s::INTEGER)
 SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT id, user_id, title, description, priority, due_at, is_completed, completed_at, created_at, updated_at
FROM (SELECT *
FROM nearby
WHERE (SELECT count(*) AS count_1
FROM nearby) = %(rows)s::INTEGER UNION ALL SELECT *
FROM (SELECT tasks.*, tasks.title_key AS sort_key
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (SELECT count(*) AS count_1
FROM nearby) < %(rows)s::INTEGER AND (%(key)s::VARCHAR COLLATE "C" IS NULL OR (tasks.title_key, tasks.id) < (%(key)s::VARCHAR COLLATE "C", %(id)s::UUID)) AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[]))) ORDER BY tasks.title_key DESC, tasks.id DESC
 LIMIT %(rows)s::INTEGER) AS looked_up) AS found ORDER BY sort_key DESC, id DESC) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
""",
}

COUNT = """\
SELECT count(*) AS count_1
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.is_completed = ANY (%(statuses)s::BOOLEAN[]) AND tasks.priority_rank = ANY (%(ranks)s::SMALLINT[]) AND (%(any_due)s OR (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) >= %(due_after)s::TIMESTAMP WITH TIME ZONE AND (
CASE
 WHEN due_at IS NULL THEN 'infinity'
 ELSE due_at
END) < %(due_before)s::TIMESTAMP WITH TIME ZONE) AND (%(q)s::VARCHAR = '' OR tasks.id = ANY (CAST((SELECT find_tasks(%(q)s::VARCHAR) AS find_tasks_1) AS UUID[])))
"""

EXPORT = """\
SELECT CASE WHEN (sum(CASE WHEN (octet_length(answers.json) <= 1648) THEN 3 * octet_length(answers.json) ELSE greatest(octet_length(CAST(to_json(answers.json) AS TEXT)) + 4 * (octet_length(answers.json) - char_length(answers.json)), (octet_length(answers.json) * 4) / 3) END) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) <= %(bytes)s::BIGINT) THEN answers.json END AS task
FROM (SELECT CAST(row_to_json(answer) AS TEXT) AS json
FROM (SELECT page.id AS id, page.user_id AS user_id, page.title AS title, page.description AS description, page.priority AS priority, replace(CAST(timezone(INTERVAL '0', page.due_at) AS TEXT), ' ', 'T') || 'Z' AS due_at, page.is_completed AS is_completed, replace(CAST(timezone(INTERVAL '0', page.completed_at) AS TEXT), ' ', 'T') || 'Z' AS completed_at, replace(CAST(timezone(INTERVAL '0', page.created_at) AS TEXT), ' ', 'T') || 'Z' AS created_at, replace(CAST(timezone(INTERVAL '0', page.updated_at) AS TEXT), ' ', 'T') || 'Z' AS updated_at
FROM (SELECT tasks.id AS id, tasks.user_id AS user_id, tasks.title AS title, tasks.description AS description, tasks.priority AS priority, tasks.due_at AS due_at, tasks.is_completed AS is_completed, tasks.completed_at AS completed_at, tasks.created_at AS created_at, tasks.updated_at AS updated_at
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND (%(cursor)s::UUID IS NULL OR tasks.id > %(cursor)s::UUID) ORDER BY tasks.id
 LIMIT %(rows)s::INTEGER) AS page
 LIMIT ALL OFFSET 0) AS answer
 LIMIT ALL OFFSET 0) AS answers
"""
