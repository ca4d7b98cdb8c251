"""The same calls as tutorials write them: FastAPI, SQLModel and Mangum, in one function."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from mangum import Mangum
from sqlalchemy import Column, DateTime, NullPool, func
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

SECRET = os.environ["BETTER_AUTH_SECRET"]
# A pool of one's own before PgBouncer's keeps a connection from others for as long as Lambda likes.
engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1),
    poolclass=NullPool,
)

Priority = Literal["low", "medium", "high"]


class Task(SQLModel, table=True):
    """A task, as it is stored."""

    __tablename__ = "tasks"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: str
    title: str
    description: str | None = None
    priority: str = "medium"
    due_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    is_completed: bool = False
    completed_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    created_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), server_default=func.now())
    )
    updated_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), server_default=func.now())
    )


class TaskCreate(SQLModel):
    """A new task."""

    title: str = Field(min_length=1, max_length=500)
    description: str | None = Field(default=None, max_length=5000)
    priority: Priority = "medium"
    due_at: datetime | None = None


class TaskUpdate(SQLModel):
    """The fields of a task to change."""

    title: str | None = Field(default=None, min_length=1, max_length=500)
    description: str | None = Field(default=None, max_length=5000)
    priority: Priority | None = None
    due_at: datetime | None = None
    is_completed: bool | None = None


class TaskPublic(SQLModel):
    """A task, as it is answered."""

    id: UUID
    user_id: str
    title: str
    description: str | None
    priority: str
    due_at: datetime | None
    is_completed: bool
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


def get_session() -> Iterator[Session]:
    """A session for one request."""
    with Session(engine) as session:
        yield session


def get_current_user(
    user_id: str, credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
) -> str:
    """The user whose token it is, who has to be the one that the path names."""
    try:
        claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"])
    except jwt.PyJWTError as error:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Invalid token") from error
    if claims.get("sub") != user_id:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Not your tasks")
    return user_id


SessionDep = Annotated[Session, Depends(get_session)]
CurrentUser = Annotated[str, Depends(get_current_user)]

app = FastAPI()


def get_own_task(task_id: UUID, session: SessionDep, user: CurrentUser) -> Task:
    """The user's task that the path names."""
    task = session.exec(select(Task).where(Task.id == task_id, Task.user_id == user)).first()
    if task is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Task not found")
    return task


OwnTask = Annotated[Task, Depends(get_own_task)]


@app.get("/api/{user_id}/tasks", response_model=list[TaskPublic])
def list_tasks(
    session: SessionDep, user: CurrentUser, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Sequence[Task]:
    """List the user's tasks, newest first."""
    statement = (
        select(Task)
        .where(Task.user_id == user)
        .order_by(col(Task.created_at).desc(), col(Task.id).desc())
        .limit(limit)
    )
    return session.exec(statement).all()


@app.post("/api/{user_id}/tasks", response_model=TaskPublic, status_code=status.HTTP_201_CREATED)
def create_task(new: TaskCreate, session: SessionDep, user: CurrentUser) -> Task:
    """Create a task."""
    return save(session, Task.model_validate(new, update={"user_id": user}))


@app.get("/api/{user_id}/tasks/{task_id}", response_model=TaskPublic)
def read_task(task: OwnTask) -> Task:
    """Read a task."""
    return task


@app.patch("/api/{user_id}/tasks/{task_id}", response_model=TaskPublic)
def update_task(task: OwnTask, changes: TaskUpdate, session: SessionDep) -> Task:
    """Change the fields that are sent."""
    task.sqlmodel_update(changes.model_dump(exclude_unset=True))
    return save(session, task)


@app.patch("/api/{user_id}/tasks/{task_id}/toggle-status", response_model=TaskPublic)
def toggle_task_status(task: OwnTask, session: SessionDep) -> Task:
    """Complete an open task; reopen a completed one."""
    task.is_completed = not task.is_completed
    return save(session, task)


@app.delete("/api/{user_id}/tasks/{task_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_task(task: OwnTask, session: SessionDep) -> None:
    """Delete a task."""
    session.delete(task)
    session.commit()


def save(session: Session, task: Task) -> Task:
    """The task as the database has it after it is stored."""
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


handler = Mangum(app)
