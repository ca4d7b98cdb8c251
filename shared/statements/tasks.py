"""Made of shared.queries.tasks by `make statements`."""

READ = """\
SELECT json_build_object('id', tasks.id, 'user_id', tasks.user_id, 'title', tasks.title, 'description', tasks.description, 'priority', tasks.priority, 'due_at', replace(CAST(timezone(INTERVAL '0', tasks.due_at) AS TEXT), ' ', 'T') || 'Z', 'is_completed', tasks.is_completed, 'completed_at', replace(CAST(timezone(INTERVAL '0', tasks.completed_at) AS TEXT), ' ', 'T') || 'Z', 'created_at', replace(CAST(timezone(INTERVAL '0', tasks.created_at) AS TEXT), ' ', 'T') || 'Z', 'updated_at', replace(CAST(timezone(INTERVAL '0', tasks.updated_at) AS TEXT), ' ', 'T') || 'Z') AS json, to_hex(CAST(EXTRACT(epoch FROM tasks.updated_at) * 1000000 AS BIGINT)) AS etag, tasks.id
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.id = %(id)s::UUID
"""

CREATE = """\
INSERT INTO tasks (user_id, title, description, priority, due_at) VALUES (%(user_id)s::VARCHAR, %(title)s::VARCHAR, %(description)s::VARCHAR, %(priority)s::VARCHAR, %(due_at)s::TIMESTAMP WITH TIME ZONE) RETURNING json_build_object('id', tasks.id, 'user_id', tasks.user_id, 'title', tasks.title, 'description', tasks.description, 'priority', tasks.priority, 'due_at', replace(CAST(timezone(INTERVAL '0', tasks.due_at) AS TEXT), ' ', 'T') || 'Z', 'is_completed', tasks.is_completed, 'completed_at', replace(CAST(timezone(INTERVAL '0', tasks.completed_at) AS TEXT), ' ', 'T') || 'Z', 'created_at', replace(CAST(timezone(INTERVAL '0', tasks.created_at) AS TEXT), ' ', 'T') || 'Z', 'updated_at', replace(CAST(timezone(INTERVAL '0', tasks.updated_at) AS TEXT), ' ', 'T') || 'Z') AS json, to_hex(CAST(EXTRACT(epoch FROM tasks.updated_at) * 1000000 AS BIGINT)) AS etag, tasks.id
"""

CHANGE = """\
UPDATE tasks SET title=CASE WHEN %(title_sent)s THEN %(title)s ELSE tasks.title END, description=CASE WHEN %(description_sent)s THEN %(description)s ELSE tasks.description END, priority=CASE WHEN %(priority_sent)s THEN %(priority)s ELSE tasks.priority END, due_at=CASE WHEN %(due_at_sent)s THEN %(due_at)s ELSE tasks.due_at END, is_completed=CASE WHEN %(is_completed_sent)s THEN %(is_completed)s ELSE tasks.is_completed END WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.id = %(id)s::UUID AND (%(if_match)s::TEXT[] IS NULL OR to_hex(CAST(EXTRACT(epoch FROM tasks.updated_at) * 1000000 AS BIGINT)) = ANY (%(if_match)s::TEXT[])) RETURNING json_build_object('id', tasks.id, 'user_id', tasks.user_id, 'title', tasks.title, 'description', tasks.description, 'priority', tasks.priority, 'due_at', replace(CAST(timezone(INTERVAL '0', tasks.due_at) AS TEXT), ' ', 'T') || 'Z', 'is_completed', tasks.is_completed, 'completed_at', replace(CAST(timezone(INTERVAL '0', tasks.completed_at) AS TEXT), ' ', 'T') || 'Z', 'created_at', replace(CAST(timezone(INTERVAL '0', tasks.created_at) AS TEXT), ' ', 'T') || 'Z', 'updated_at', replace(CAST(timezone(INTERVAL '0', tasks.updated_at) AS TEXT), ' ', 'T') || 'Z') AS json, to_hex(CAST(EXTRACT(epoch FROM tasks.updated_at) * 1000000 AS BIGINT)) AS etag, tasks.id
"""

FLIP = """\
UPDATE tasks SET is_completed=NOT tasks.is_completed WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.id = %(id)s::UUID AND (%(if_match)s::TEXT[] IS NULL OR to_hex(CAST(EXTRACT(epoch FROM tasks.updated_at) * 1000000 AS BIGINT)) = ANY (%(if_match)s::TEXT[])) RETURNING json_build_object('id', tasks.id, 'user_id', tasks.user_id, 'title', tasks.title, 'description', tasks.description, 'priority', tasks.priority, 'due_at', replace(CAST(timezone(INTERVAL '0', tasks.due_at) AS TEXT), ' ', 'T') || 'Z', 'is_completed', tasks.is_completed, 'completed_at', replace(CAST(timezone(INTERVAL '0', tasks.completed_at) AS TEXT), ' ', 'T') || 'Z', 'created_at', replace(CAST(timezone(INTERVAL '0', tasks.created_at) AS TEXT), ' ', 'T') || 'Z', 'updated_at', replace(CAST(timezone(INTERVAL '0', tasks.updated_at) AS TEXT), ' ', 'T') || 'Z') AS json, to_hex(CAST(EXTRACT(epoch FROM tasks.updated_at) * 1000000 AS BIGINT)) AS etag, tasks.id
"""

DELETE = """\
DELETE FROM tasks WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.id = %(id)s::UUID AND (%(if_match)s::TEXT[] IS NULL OR to_hex(CAST(EXTRACT(epoch FROM tasks.updated_at) * 1000000 AS BIGINT)) = ANY (%(if_match)s::TEXT[])) RETURNING tasks.id
"""

EXISTS = """\
SELECT true AS anon_1
FROM tasks
WHERE tasks.user_id = %(user_id)s::VARCHAR AND tasks.id = %(id)s::UUID
"""
