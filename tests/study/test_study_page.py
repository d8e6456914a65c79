"""The page in a browser, where there is one: Debian's chromium, driven by playwright."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from made_up_study import small_study

from pixelwise.study import Rules, Store
from pixelwise.study.server import create_app

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run")  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return small_study(tmp_path, Rules(num_catches=2, seconds=0.2))


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create_app(store), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": 800, "height": 600})
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
        yield page
        browser.close()
        assert not faults


def is_fault(message: Any) -> bool:
    # An answer out of turn is a reply as any other, but browsers complain of its status.
    return message.type == "error" and "409" not in message.text


def await_pair(page: Any, number: int) -> None:
    page.get_by_text(f"{number} of 6", exact=True).wait_for()
    page.wait_for_selector('.pair[aria-busy="false"]')


def test_a_rater_answers_stops_and_returns(page: Any, address: str, store: Store) -> None:
    page.goto(f"{address}?rater=anna")
    page.get_by_role("button", name="Begin").click()
    await_pair(page, 1)
    assert page.locator(".condition img").is_visible()
    page.keyboard.press("ArrowLeft")
    await_pair(page, 2)
    page.get_by_role("button", name="Right picture").click()
    await_pair(page, 3)
    page.get_by_text("Which one was it?").wait_for()
    assert not page.locator("#left img").is_visible()
    assert [answer.choice for answer in store.answers()] == ["left", "right"]

    page.goto(address)
    assert page.get_by_label("Your name").input_value() == "anna"
    page.keyboard.press("Enter")
    page.get_by_text("You have answered 2 of 6 pairs").wait_for()
    page.get_by_role("button", name="Go on").click()
    for number in range(3, 7):
        await_pair(page, number)
        page.keyboard.press("ArrowRight")
    page.get_by_text("Thank you, anna").wait_for()
    assert [answer.choice for answer in store.answers()] == ["left", *["right"] * 5]
    assert max(answer.milliseconds for answer in store.answers()) < 60_000


def test_a_second_tab_finds_what_the_first_answered(page: Any, address: str, store: Store) -> None:
    rater = store.admit("anna")
    page.goto(f"{address}?rater=anna")
    page.get_by_role("button", name="Begin").click()
    await_pair(page, 1)
    for number in range(3):
        store.answer(rater, number, "left", 1)
    page.keyboard.press("ArrowRight")
    await_pair(page, 4)
    assert [answer.choice for answer in store.answers()] == ["left"] * 3
