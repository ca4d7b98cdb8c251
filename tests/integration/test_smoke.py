"""`make smoke`: goes green on a working API, red on every way of being broken, and cleans up."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest

from infra import smoke
from infra.template import ROOT
from tests.clients import User, make_token
from tests.servers import Damage, damaged, free_port


@pytest.fixture(scope="module")
def gateway(postgres: str, serve: Callable[[str], str]) -> str:
    """The address of a running local gateway, on Postgres itself."""
    return serve(postgres)


def run(url: str, token: str = "") -> subprocess.CompletedProcess[str]:
    """Run the smoke test as a pipeline would."""
    return subprocess.run(
        [sys.executable, "-m", "infra.smoke", url],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LAMBDO_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
    )


def list_tasks(gateway: str, user: User) -> list[object]:
    """A user's tasks."""
    answer = httpx.get(f"{gateway}/api/tasks", headers=user.headers, timeout=30)
    tasks: list[object] = answer.json()["tasks"]
    return tasks


def test_a_working_api_passes_and_keeps_nothing(gateway: str) -> None:
    alice = User()
    result = run(gateway, make_token(alice.id))
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) == 7
    assert all(line.startswith("ok ") for line in lines)
    assert list_tasks(gateway, alice) == []


def test_without_a_token_it_says_what_it_did_not_check(gateway: str) -> None:
    result = run(f"{gateway}/")
    assert result.returncode == 0
    assert [line for line in result.stdout.splitlines() if not line.startswith("ok ")] == [
        "skip  no LAMBDO_TOKEN, so no task is created"
    ]


def test_an_api_that_does_not_work_fails_the_command(gateway: str) -> None:
    result = run(gateway, "no.such.token")
    assert result.returncode == 1
    (failure,) = [line for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert "answered 401, not 201" in failure
    assert result.stderr == f"{gateway} does not work as it should.\n"


@pytest.mark.parametrize("url", ["", "ftp://example.com", "api.example.com"])
def test_what_is_no_address_is_refused(url: str) -> None:
    result = run(url)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1


def test_an_api_that_is_not_there_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert not smoke.check(f"http://127.0.0.1:{free_port()}", tries=1)
    assert "FAIL  GET /health answers: no answer" in capsys.readouterr().out


def test_a_first_answer_is_waited_for(gateway: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "PAUSE", 0)
    refusals = iter([503, 500])

    def start_cold(request: httpx.Request, _: httpx.Response) -> httpx.Response | None:
        if request.url.path == "/health":
            return httpx.Response(status) if (status := next(refusals, None)) else None
        return None

    with damaged(gateway, start_cold) as url:
        assert smoke.check(url)


def replace(method: str, path: str, **changes: object) -> Damage:
    """Damage to the answers of one route: another status, another body, or a header less."""

    def damage(request: httpx.Request, answer: httpx.Response) -> httpx.Response | None:
        if request.method != method or not request.url.path.endswith(path):
            return None
        headers = httpx.Headers(answer.headers)
        headers.pop(str(changes.get("without", "")), None)
        return httpx.Response(
            int(str(changes.get("status", answer.status_code))),
            headers=headers,
            content=str(changes["body"]).encode() if "body" in changes else answer.content,
        )

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        replace("GET", "/health", status=502),
        replace("GET", "/health", body="<html>Another site</html>"),
        replace("GET", "/health/ready", status=503),
        replace("GET", "/openapi.json", body=json.dumps({"openapi": "3.1.0"})),
        replace("GET", "/openapi.json", status=404),
        replace("GET", "/api/tasks", status=200),
        replace("GET", "/api/tasks", without="x-request-id"),
        replace("GET", "/api/tasks", without="x-content-type-options"),
        replace("GET", "/api/tasks", without="cache-control"),
        replace("GET", "/api/tasks", without="www-authenticate"),
        replace("GET", "/no/such/route", body='{"message":"Not Found"}'),
        replace("DELETE", "/health", status=404),
        replace("DELETE", "/health", without="allow"),
    ],
)
def test_a_broken_api_fails_at_one_check(
    gateway: str, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    with damaged(gateway, damage) as url:
        assert not smoke.check(url, tries=1)
    assert capsys.readouterr().out.count("FAIL") == 1


def test_a_task_is_deleted_even_if_it_could_not_be_completed(
    gateway: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = User()
    with damaged(gateway, replace("PATCH", "/complete", status=500)) as url:
        assert not smoke.check(url, make_token(alice.id), tries=1)
    assert "answered 500, not 200" in capsys.readouterr().out
    assert list_tasks(gateway, alice) == []


def test_a_task_that_stays_there_is_a_failure(
    gateway: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def keep(request: httpx.Request, answer: httpx.Response) -> httpx.Response | None:
        deleted = request.method == "GET" and answer.status_code == 404
        kept = deleted and request.url.path.startswith("/api/tasks/")
        return httpx.Response(200, json={"title": "Still here"}) if kept else None

    with damaged(gateway, keep) as url:
        assert not smoke.check(url, make_token(User().id), tries=1)
    assert "answered 200, not 404" in capsys.readouterr().out
