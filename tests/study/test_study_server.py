"""The page's API, by requests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from fastapi.testclient import TestClient
from made_up_study import small_study

from pixelwise.errors import InputError
from pixelwise.study import Rules, Store, trials_of
from pixelwise.study.server import create_app, serve


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return small_study(tmp_path, Rules(num_catches=2, seconds=1.5))


@pytest.fixture
def client(store: Store) -> TestClient:
    return TestClient(create_app(store))


@pytest.fixture
def anna(client: TestClient) -> str:
    return f"/api/raters/{client.post('/api/raters', json={'name': 'anna'}).json()['token']}"


def give(client: TestClient, rater: str, trial: int, choice: str = "left") -> tuple[int, object]:
    response = client.post(f"{rater}/answers", json={"trial": trial, "choice": choice, "milliseconds": 812.4})
    return response.status_code, response.json()


def test_a_whole_study(client: TestClient, store: Store) -> None:
    said = client.get("/api/study").json()
    assert said == {"question": Rules().question, "seconds": 1.5, "trials": 6, "conditions": True}
    admitted = client.post("/api/raters", json={"name": " anna "}).json()
    rater = f"/api/raters/{admitted['token']}"
    assert (admitted["name"], admitted["answered"]) == ("anna", 0)
    for number, trial in enumerate(trials_of(store.study, "anna")):
        assert trial.condition is not None
        shown = {"left": trial.left.picture, "right": trial.right.picture, "condition": trial.condition}
        for place, picture in shown.items():
            response = client.get(f"{rater}/trials/{number}/{place}")
            assert (response.content, response.headers["content-type"]) == (store.content(picture), "image/png")
        if number == 3:
            assert client.post("/api/raters", json={"name": "anna"}).json() == {**admitted, "answered": 3}
        assert give(client, rater, number, "right") == (200, {"answered": number + 1})
    assert give(client, rater, 6) == (409, {"detail": {"answered": 6}})
    answers = store.answers()
    assert [(answer.trial, answer.choice, answer.milliseconds) for answer in answers] == [
        (number, "right", 812) for number in range(6)
    ]
    assert sum(answer.is_catch for answer in answers) == 2


def test_answers_out_of_turn(client: TestClient, anna: str, store: Store) -> None:
    assert give(client, anna, 1) == (409, {"detail": {"answered": 0}})
    assert give(client, anna, 0, "left") == (200, {"answered": 1})
    assert give(client, anna, 0, "right") == (409, {"detail": {"answered": 1}})
    assert [answer.choice for answer in store.answers()] == ["left"]


def test_wrong_tokens_open_nothing(client: TestClient, anna: str) -> None:
    for token in ("anna", "x", "%20", "a" * 64):
        assert client.get(f"/api/raters/{token}/trials/0/left").status_code == 404
        assert give(client, f"/api/raters/{token}", 0)[0] == 404
    assert give(client, f"/api/raters/{'a' * 65}", 0)[0] == 422


@pytest.mark.parametrize(
    "address",
    [
        "/../store.py", "/%2e%2e/store.py", "/..%2fstore.py", "/%2e%2e%2fserver.py", "/..%5cstore.py", "/study.sqlite",
        "//etc/passwd", "/%2fetc%2fpasswd", "/index.html%00.png", "/page/index.html", "/docs", "/openapi.json",
        "{anna}/trials/0/..%2f..%2fstudy.sqlite", "{anna}/trials/0/left/../../../x", "{anna}/trials/6/left",
        "{anna}/trials/-1/left", "{anna}/trials/0/top", "{anna}/trials/x/left",
        "{anna}/trials/99999999999999999999999/left", "{anna}/trials/0/%2fetc%2fpasswd",
    ],
)  # fmt: skip
def test_nothing_else_is_served(client: TestClient, anna: str, address: str) -> None:
    response = client.get(address.format(anna=anna))
    assert response.status_code in (404, 422)
    assert len(response.content) < 500


@pytest.mark.parametrize(
    "answer",
    [
        {}, {"trial": 0, "choice": "left"}, {"trial": 0, "choice": "both", "milliseconds": 1},
        {"trial": -1, "choice": "left", "milliseconds": 1}, {"trial": 0, "choice": "left", "milliseconds": -1},
        {"trial": "zero", "choice": "left", "milliseconds": 1}, [],
    ],
)  # fmt: skip
def test_answers_that_are_none(client: TestClient, anna: str, store: Store, answer: object) -> None:
    assert client.post(f"{anna}/answers", json=answer).status_code == 422
    assert client.post(f"{anna}/answers", content=b"\xff{").status_code == 422
    assert not store.answers()


def test_lengths_are_limited(client: TestClient, anna: str, store: Store) -> None:
    assert client.post("/api/raters", json={"name": "a" * 401}).status_code == 422
    assert client.post("/api/raters", json={"name": "a" * 81}).status_code == 400
    assert client.post("/api/raters", json={"name": "=1"}).status_code == 400
    assert client.post("/api/raters", json={"name": "a" * 5000}).status_code == 413
    assert client.post("/api/raters", content=(b" " * 1000 for _ in range(5))).status_code == 413
    for milliseconds, kept in (("1e300", 24 * 3600 * 1000), ("0", 0)):
        answer = f'{{"trial": {len(store.answers())}, "choice": "left", "milliseconds": {milliseconds}}}'
        kind = {"Content-Type": "application/json"}
        assert client.post(f"{anna}/answers", content=answer, headers=kind).status_code == 200
        assert store.answers()[-1].milliseconds == kept


def test_raters_are_not_told_which_model_is_which(client: TestClient, anna: str) -> None:
    admitted = client.post("/api/raters", json={"name": "b"})
    replies = [admitted, client.get("/api/study"), client.get(f"{anna}/trials/0/left")]
    told = " ".join(f"{reply.headers} {reply.content!r}" for reply in replies)
    assert not any(name in told for name in ("asap", "spade", "street", "intact", "degraded"))


def test_a_picture_that_changes_meanwhile_is_not_shown(
    client: TestClient, anna: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for picture in store.study.files():
        (store.path.parent / picture.path).write_bytes(b"another")
    number = next(n for n, trial in enumerate(trials_of(store.study, "anna")) if not trial.is_catch)
    response = client.get(f"{anna}/trials/{number}/left")
    assert (response.status_code, response.json()) == (
        500, {"detail": "the study cannot go on; please tell those who run it"},
    )  # fmt: skip
    assert "not as it was when the study was prepared" in caplog.text


@pytest.mark.parametrize(
    ("name", "kind"),
    [("", "html"), ("study.js", "javascript"), ("server.js", "javascript"), ("study.css", "css")],
)
def test_the_page_is_served(client: TestClient, name: str, kind: str) -> None:
    response = client.get(f"/{name}")
    assert response.status_code == 200
    assert kind in response.headers["content-type"]
    assert response.headers["content-security-policy"].startswith("default-src 'self'")


def test_a_port_in_use_is_told(store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"127\.0\.0\.1, port {port}: .*in use.*a free port"):
            serve(store.path, port=port)
    with pytest.raises(InputError, match="expected an address of this machine"):
        serve(store.path, host="203.0.113.1")


def test_changed_pictures_are_told_before_anybody_is_asked(store: Store) -> None:
    (store.path.parent / "asap" / "1.png").unlink()
    with pytest.raises(InputError, match=r"asap/1\.png: not as it was"):
        serve(store.path)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pixelwise.study.server")
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(InputError, match=r"pip install 'pixelwise\[serve\]'"):
        import pixelwise.study.server  # noqa: F401


def test_serving_ends_with_ctrl_c(store: Store) -> None:
    command = [sys.executable, "-m", "pixelwise", "study", "serve", str(store.path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    line = process.stdout.readline()
    address = line.split(" at ")[1].split()[0]
    with urlopen(f"{address}api/study") as reply:
        assert b'"trials":6' in reply.read()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
