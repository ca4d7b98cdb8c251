"""The local gateway over HTTP: what it makes of calls, of answers, and of workers that die."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from infra.local.gateway import Gateway, make_server
from infra.local.workers import WORKERS
from infra.template import CorsRules, Route
from tests.servers import free_port

FUNCTIONS = """
import json, os, signal, time
from pathlib import Path

def echo(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}

def name(event, context):
    return {"statusCode": 200, "body": str(os.getpid())}

def die(event, context):
    os.kill(os.getpid(), signal.SIGKILL)

def wait(event, context):
    until = Path(event["queryStringParameters"]["until"])
    until.with_suffix(f".{os.getpid()}").touch()
    while not until.exists():
        time.sleep(0.01)
    return {"statusCode": 200, "body": "done"}

def pad(event, context):
    query = event["queryStringParameters"]
    return {"statusCode": 200, "body": query["text"] * int(query["times"])}
"""
FAULT = (500, {"message": "Internal Server Error"})
MAX_ANSWER = 6 * 1024 * 1024 + 100
AROUND_BODY = len('{"statusCode": 200, "body": ""}')


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway before functions that do as they are told."""
    code = tmp_path_factory.mktemp("code")
    (code / "fakes.py").write_text(FUNCTIONS)
    routes = [
        Route(key, f"fakes.{function}", code)
        for key, function in {
            "$default": "echo",
            "GET /api/{user_id}/tasks": "echo",
            "GET /name": "name",
            "GET /die": "die",
            "GET /wait": "wait",
            "GET /pad": "pad",
        }.items()
    ]
    gateway = Gateway(routes, CorsRules([], [], [], 0), [])
    server = make_server(gateway)
    server.config.port = free_port()
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.config.port}"
    server.should_exit = True
    thread.join()
    gateway.close()


@pytest.fixture
def http(gateway: str) -> Iterator[httpx.Client]:
    """A client of it."""
    with httpx.Client(base_url=gateway, timeout=60) as client:
        yield client


def answer_of(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


@pytest.mark.parametrize("subject", ["a b", "a%20b", "%2520", "a+b", "é", "100%"])
def test_a_path_is_decoded_once(http: httpx.Client, subject: str) -> None:
    event = http.get(f"/api/{quote(subject, safe='')}/tasks").json()
    assert event["pathParameters"] == {"user_id": subject}
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == f"/api/{subject}/tasks"


def test_where_a_call_comes_from_is_not_the_callers_to_say(http: httpx.Client) -> None:
    claimed = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"}
    event = http.get("/", headers=claimed).json()
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert event["headers"]["x-forwarded-proto"] == "http"


@pytest.mark.parametrize(("text", "size"), [("x", 1), ('"', 2), ("\n", 2), ("é", 2), ("😀", 4)])
def test_an_answer_that_lambda_does_not_hand_over_is_a_fault(
    http: httpx.Client, text: str, size: int
) -> None:
    times = (MAX_ANSWER - AROUND_BODY) // size
    taken = http.get("/pad", params={"text": text, "times": times})
    assert (taken.status_code, len(taken.text)) == (200, times)
    assert answer_of(http.get("/pad", params={"text": text, "times": times + 1})) == FAULT


def test_only_the_call_of_a_worker_that_dies_fails(http: httpx.Client, tmp_path: Path) -> None:
    others = WORKERS - 1
    with ThreadPoolExecutor(others) as threads:
        waiting = start_waiting(threads, http, tmp_path, others)
        for _ in range(3):
            assert answer_of(http.get("/die")) == FAULT
            # Another has taken its place: all others are still busy.
            assert http.get("/name").status_code == 200
        assert not any(call.done() for call in waiting)
        (tmp_path / "until").touch()
        assert [call.result().text for call in waiting] == ["done"] * others


def test_calls_wait_for_a_worker_when_all_are_busy(http: httpx.Client, tmp_path: Path) -> None:
    with ThreadPoolExecutor(WORKERS + 1) as threads:
        waiting = start_waiting(threads, http, tmp_path, WORKERS)
        late = threads.submit(http.get, "/name")
        (tmp_path / "until").touch()
        assert [call.result().text for call in waiting] == ["done"] * WORKERS
        assert late.result().status_code == 200


def test_a_worker_serves_again_when_it_is_done(http: httpx.Client) -> None:
    assert len({http.get("/name").text for _ in range(5)}) == 1


def start_waiting(
    threads: ThreadPoolExecutor, http: httpx.Client, folder: Path, calls: int
) -> list[Future[httpx.Response]]:
    """Calls that each keep a worker busy until there is a file `until` in the folder."""
    until = folder / "until"
    waiting = [
        threads.submit(http.get, "/wait", params={"until": str(until)}) for _ in range(calls)
    ]
    while len([*folder.glob("until.*")]) < calls:
        time.sleep(0.01)
    return waiting
