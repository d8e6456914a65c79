"""A study as a web page: files of ``page/``, and a small HTTP API over one ``Store``.

Nothing that a client names is ever a path: pictures are asked for by the number of a rater's trial and a place in it.
So an address tells nobody which model made a picture either.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pixelwise.errors import InputError
from pixelwise.study.pictures import media_type_of
from pixelwise.study.raters import OutOfTurn, Rater, UnknownRater, rater_name
from pixelwise.study.store import Store
from pixelwise.study.trials import trials_of

try:
    import uvicorn
    from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
    from fastapi import Path as InAddress
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from fastapi.staticfiles import StaticFiles
    from pydantic import BaseModel, Field
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ImportError as error:
    raise InputError(f"a study is served by FastAPI and uvicorn: pip install 'pixelwise[serve]' ({error})") from error

HOST, PORT = "127.0.0.1", 8000

_log = logging.getLogger(__name__)
_PAGE = Path(__file__).parent / "page"
_MOST_BODY_BYTES = 4096
_LONGEST_TOKEN = 64
_LONGEST_ANSWER = 24 * 3600 * 1000
"""Milliseconds: who left a pair on the screen over night is told of with a day."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Place = Literal["left", "right", "condition"]


class NameGiven(BaseModel):
    """What a rater wants to be called."""

    name: str = Field(max_length=400)


class AnswerGiven(BaseModel):
    """A rater's choice in the trial of this number, after so many milliseconds."""

    trial: int = Field(ge=0)
    choice: Literal["left", "right"]
    milliseconds: float = Field(ge=0, allow_inf_nan=False)


def serve(path: Path, host: str = HOST, port: int = PORT, announce: Callable[[str], object] = print) -> None:
    """Asks raters until it is interrupted.

    Args:
        path: a study's file.
        host: the address to listen at; ``127.0.0.1`` is heard by this machine only, ``0.0.0.0`` by the network.
        port: 0 for any that is free.
        announce: is told the page's address.

    Raises:
        InputError: see ``Store``; pictures that changed since the study was prepared; an address that cannot be had.
    """
    store = Store(path)
    store.check_pictures()
    with _listener(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        announce(f"http://{name}:{listener.getsockname()[1]}/")
        # To be interrupted is how a server ends. From Python 3.11 on it is also told so.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn.Config(create_app(store), log_level="warning")).run(sockets=[listener])


def create_app(store: Store) -> FastAPI:
    """The page and its API."""
    app = FastAPI(title="pixelwise study", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store = store
    app.include_router(routes)
    app.mount("/", StaticFiles(directory=_PAGE, html=True))
    app.add_exception_handler(InputError, _tell)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.middleware("http")(_harden)
    app.add_middleware(_LimitedBodies)
    return app


routes = APIRouter()


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


Opened = Annotated[Store, Depends(_store)]


def _rater(token: Annotated[str, InAddress(max_length=_LONGEST_TOKEN)], store: Opened) -> Rater:
    try:
        return store.rater(token)
    except UnknownRater:
        raise HTTPException(404, "no such rater") from None


Admitted = Annotated[Rater, Depends(_rater)]


@routes.get("/api/study")
def describe(store: Opened) -> dict[str, Any]:
    """What the page must know before it knows the rater."""
    study = store.study
    return {
        "question": study.rules.question,
        "seconds": study.rules.seconds,
        "trials": study.num_trials,
        "conditions": study.has_conditions,
    }


@routes.post("/api/raters")
def admit(given: NameGiven, store: Opened) -> dict[str, Any]:
    """The rater of a name, and where they stand."""
    try:
        name = rater_name(given.name)
    except InputError as error:
        raise HTTPException(400, str(error)) from error
    rater = store.admit(name)
    return {"name": rater.name, "token": rater.token, "answered": store.num_answered(rater)}


@routes.post("/api/raters/{token}/answers")
def answer(given: AnswerGiven, rater: Admitted, store: Opened) -> dict[str, Any]:
    """Keeps an answer; one out of turn is refused with status 409 and the number of the trial whose turn it is."""
    try:
        store.answer(rater, given.trial, given.choice, min(round(given.milliseconds), _LONGEST_ANSWER))
    except OutOfTurn as error:
        raise HTTPException(409, {"answered": error.expected}) from error
    return {"answered": given.trial + 1}


@routes.get("/api/raters/{token}/trials/{number}/{place}")
def picture(number: int, place: Place, rater: Admitted, store: Opened) -> Response:
    """The picture at a place of a trial."""
    trials = trials_of(store.study, rater.name)
    if not 0 <= number < len(trials):
        raise HTTPException(404, "no such trial")
    trial = trials[number]
    shown = {"left": trial.left.picture, "right": trial.right.picture, "condition": trial.condition}[place]
    if shown is None:
        raise HTTPException(404, "no such picture")
    kept = {"Cache-Control": "private, max-age=3600"}
    return Response(store.content(shown), media_type=media_type_of(shown.path), headers=kept)


class _LimitedBodies:
    """Refuses requests that say more than an answer does, before anybody reads them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
            if len(body) > _MOST_BODY_BYTES:
                told = JSONResponse({"detail": f"expected at most {_MOST_BODY_BYTES} bytes"}, 413)
                await told(scope, receive, send)
                return
        whole: list[Message] = [{"type": "http.request", "body": body}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self.app(scope, again, send)


async def _harden(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(_HEADERS)
    return response


def _tell(_: Request, error: Exception) -> JSONResponse:
    """What only those can put right who run the study, and raters need not know: it may name their files."""
    _log.error("error: %s", error)
    return JSONResponse({"detail": "the study cannot go on; please tell those who run it"}, status_code=500)


def _refuse(_: Request, __: Exception) -> JSONResponse:
    """What the page never sends. Nothing of it is repeated, for it may be of any bytes."""
    return JSONResponse({"detail": "this is no request that the page makes"}, status_code=422)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        expected = "an address of this machine, and a free port"
        raise InputError(f"{host}, port {port}: {error}; expected {expected}") from error
