"""The statements on users and their accounts. A user sees no other: row-level security."""

from sqlalchemy import Text, bindparam, cast, column, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from shared.models import UserFields
from shared.queries.answers import json_object
from shared.queries.tables import User, UserVersion

_user_id = bindparam("user_id", type_=Text)
_email = bindparam("email", type_=Text)
_hashed_password = bindparam("hashed_password", type_=Text)

_USER_JSON = json_object(UserFields, User.__table__)

LOCK_VERSION = (
    select(col(UserVersion.version)).where(col(UserVersion.user_id) == _user_id).with_for_update()
)
"""Waits until the user's other commands are done."""

PROVISION = select(func.provision_user(_email))
"""Makes the user of this transaction, unless there is one; an e-mail that is taken is left out."""

READ = select(_USER_JSON).where(col(User.id) == _user_id)

DELETE = delete(User).where(col(User.id) == _user_id).returning(col(User.id))

BECOME_NEW_USER = select(func.set_config("app.user_id", cast(func.uuid_v7(), Text), true()))
"""Row-level security lets a user's row be made by that user alone."""

_account = func.find_account(_email).table_valued(
    *(column(each.name, each.type) for each in User.__table__.c), name="account"
)
FIND_ACCOUNT = select(_account.c.id, json_object(UserFields, _account), _account.c.hashed_password)
HAS_ACCOUNT = select(true()).select_from(_account)

REGISTER = (
    insert(User)
    .values(id=func.current_setting("app.user_id"), email=_email, hashed_password=_hashed_password)
    .on_conflict_do_nothing()
    .returning(col(User.id), _USER_JSON)
)

REHASH = (
    update(User)
    .where(col(User.id) == _user_id, col(User.hashed_password) == bindparam("outdated", type_=Text))
    .values(hashed_password=_hashed_password)
    .returning(col(User.id), _USER_JSON)
)
