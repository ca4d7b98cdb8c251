"""Made of shared.queries.users by `make statements`."""

LOCK_VERSION = """\
SELECT user_versions.version
FROM user_versions
WHERE user_versions.user_id = %(user_id)s::VARCHAR FOR UPDATE
"""

PROVISION = """\
SELECT provision_user(%(email)s::VARCHAR) AS provision_user_1
"""

READ = """\
SELECT json_build_object('id', users.id, 'email', users.email, 'created_at', replace(CAST(timezone(INTERVAL '0', users.created_at) AS TEXT), ' ', 'T') || 'Z', 'updated_at', replace(CAST(timezone(INTERVAL '0', users.updated_at) AS TEXT), ' ', 'T') || 'Z') AS json_build_object_1
FROM users
WHERE users.id = %(user_id)s::VARCHAR
"""

DELETE = """\
DELETE FROM users WHERE users.id = %(user_id)s::VARCHAR RETURNING users.id
"""

BECOME_NEW_USER = """\
SELECT set_config('app.user_id', CAST(uuid_v7() AS TEXT), true) AS set_config_1
"""

FIND_ACCOUNT = """\
SELECT account.id, json_build_object('id', account.id, 'email', account.email, 'created_at', replace(CAST(timezone(INTERVAL '0', account.created_at) AS TEXT), ' ', 'T') || 'Z', 'updated_at', replace(CAST(timezone(INTERVAL '0', account.updated_at) AS TEXT), ' ', 'T') || 'Z') AS json_build_object_1, account.hashed_password
FROM find_account(%(email)s::VARCHAR) AS account
"""

HAS_ACCOUNT = """\
SELECT true AS anon_1
FROM find_account(%(email)s::VARCHAR) AS account
"""

REGISTER = """\
INSERT INTO users (id, email, hashed_password) VALUES (current_setting('app.user_id'), %(email)s::VARCHAR, %(hashed_password)s::VARCHAR) ON CONFLICT DO NOTHING RETURNING users.id, json_build_object('id', users.id, 'email', users.email, 'created_at', replace(CAST(timezone(INTERVAL '0', users.created_at) AS TEXT), ' ', 'T') || 'Z', 'updated_at', replace(CAST(timezone(INTERVAL '0', users.updated_at) AS TEXT), ' ', 'T') || 'Z') AS json_build_object_1
"""

REHASH = """\
UPDATE users SET hashed_password=%(hashed_password)s::VARCHAR WHERE users.id = %(user_id)s::VARCHAR AND users.hashed_password = %(outdated)s::VARCHAR RETURNING users.id, json_build_object('id', users.id, 'email', users.email, 'created_at', replace(CAST(timezone(INTERVAL '0', users.created_at) AS TEXT), ' ', 'T') || 'Z', 'updated_at', replace(CAST(timezone(INTERVAL '0', users.updated_at) AS TEXT), ' ', 'T') || 'Z') AS json_build_object_1
"""
