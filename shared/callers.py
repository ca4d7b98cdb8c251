"""On whose behalf the database is asked. What each of them may see and do, database.py knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The user that a verified token speaks for. Their row is made when it is first needed."""

    user_id: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class RegisteredCaller(Caller):
    """A caller whose row has to be there already: without one they are unknown."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who registers or logs in: an IP address, and the e-mail address that they name."""

    address: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """Lambdo itself, as for a probe, or in a user's name after the call was counted already."""

    user_id: str = ""


Requester = Caller | Stranger | System
