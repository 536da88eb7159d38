"""The HTTP side: who asks, where to, and the tus protocol. Everything that touches disk or ledger runs in a thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from acequia.errors import AcequiaError
from acequia.intake import protocol
from acequia.intake.desk import Desk, Place
from acequia.intake.limits import Limit
from acequia.intake.partial import Partial, Told, Writing
from acequia.intake.refusals import Refusal, not_found, not_known, problem
from acequia.intake.status import status
from acequia.intake.tokens import Doorkeeper

T = TypeVar("T")
IDLE_S = 60  # a request that sends nothing for so long is broken off
BUFFER = 1 << 20
PLACES_KEPT_S = 10  # agreements are read again after so long
REQUESTS, MISTAKES = (300, 30.0), (20, 1 / 6)  # at once, and a second: by partner; wrong tokens by address


class Intake:
    """The server's answers."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.door = desk, Doorkeeper(desk.ledger)
        self.requests, self.mistakes = Limit(*REQUESTS), Limit(*MISTAKES)
        self._places: dict[tuple[str, str, str], tuple[float, Place]] = {}

    def app(self) -> Starlette:
        """The ASGI application."""
        place, upload = "/v1/{partner}/{feed}/{period}", "/v1/{partner}/{feed}/{period}/{upload:path}"
        routes = [
            Route("/health", self.health, methods=["GET"]),
            Route(place + "/complete", self._answering(self.complete), methods=["POST"]),
            Route(place + "/", self._answering(self.create), methods=["POST"]),
            Route(place + "/", self._answering(self.options), methods=["OPTIONS"]),
            Route(place, self._answering(self.create), methods=["POST"]),
            Route(place, self._answering(self.options), methods=["OPTIONS"]),
            Route(place, self._answering(self.state), methods=["GET"]),
            Route(upload, self._answering(self.head), methods=["HEAD"]),
            Route(upload, self._answering(self.patch), methods=["PATCH"]),
            Route(upload, self._answering(self.put), methods=["PUT"]),
            Route(upload, self._answering(self.delete), methods=["DELETE"]),
        ]
        app = Starlette(routes=routes, exception_handlers={404: _no_place, 405: _no_way})
        app.router.redirect_slashes = False
        return app

    async def health(self, _: Request) -> Response:
        """Whether the server runs."""
        return JSONResponse({"status": "ok"})

    async def options(self, _request: Request, place: Place) -> Response:
        """What this server can do."""
        return Response(
            status_code=204,
            headers={
                "Tus-Version": protocol.VERSION,
                "Tus-Extension": protocol.EXTENSIONS,
                "Tus-Max-Size": str(place.terms.bytes_at_most),
                "Tus-Checksum-Algorithm": ",".join(protocol.ALGORITHMS),
            },
        )

    async def create(self, request: Request, place: Place) -> Response:
        """Begin an upload."""
        protocol.require_version(request.headers)
        name, length = protocol.filename(request.headers), protocol.length(request.headers)
        partial, told = await _in_thread(self.desk.create, place, name, length)
        where = f"/v1/{place.partner}/{place.feed}/{place.period.label}/{partial.id}"
        headers = {"Location": where, "Upload-Expires": protocol.expires(told.expires)}
        return Response(status_code=201, headers=headers)

    async def head(self, request: Request, place: Place) -> Response:
        """How far an upload is."""
        protocol.require_version(request.headers)
        offset, length, expires = await _in_thread(self.desk.offset, place, request.path_params["upload"])
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(length), "Cache-Control": "no-store"}
        return Response(headers=headers | ({"Upload-Expires": protocol.expires(expires)} if expires else {}))

    async def patch(self, request: Request, place: Place) -> Response:
        """Take the next bytes of an upload."""
        protocol.require_version(request.headers)
        if request.headers.get("content-type") != protocol.OFFSET_STREAM:
            raise Refusal(415, "content_type", f"Content-Type: {protocol.OFFSET_STREAM} is needed")
        offset, checksum = protocol.number(request.headers, "upload-offset"), protocol.checksum(request.headers)
        partial, _ = await _in_thread(self.desk.find, place, request.path_params["upload"])
        told = await self._take(request, place, partial, offset, checksum)
        headers = {"Upload-Offset": str(told.offset), "Upload-Expires": protocol.expires(told.expires)}
        return Response(status_code=204, headers=headers)

    async def put(self, request: Request, place: Place) -> Response:
        """A whole file in one request, named by the address: for `curl --upload-file`. It cannot be taken up again."""
        length = protocol.number(request.headers, "content-length")
        checksum = protocol.content_digest(request.headers)
        partial, told = await _in_thread(self.desk.create, place, request.path_params["upload"], length)
        if length:
            try:
                told = await self._take(request, place, partial, 0, checksum)
            finally:
                if told.offset < length:
                    await _in_thread(partial.discard)
        return JSONResponse({"name": told.name, "bytes": length}, status_code=201)

    async def delete(self, request: Request, place: Place) -> Response:
        """Remove an upload that no delivery holds yet."""
        protocol.require_version(request.headers)
        await _in_thread(self.desk.drop, place, request.path_params["upload"])
        return Response(status_code=204)

    async def complete(self, _request: Request, place: Place) -> Response:
        """The partner says that the delivery is all there."""
        new = await _in_thread(self.desk.complete, place)
        return JSONResponse({"complete": True, "new": new})

    async def state(self, _request: Request, place: Place) -> Response:
        """What became of a delivery."""
        return JSONResponse(await _in_thread(status, self.desk, place))

    async def _take(
        self, request: Request, place: Place, partial: Partial, offset: int, checksum: protocol.Checksum | None
    ) -> Told:
        """Write the request's bytes, and end the upload if it is whole by them."""
        with ExitStack() as held:
            held.enter_context(partial.held())
            writing = await _in_thread(self.desk.begin_writing, partial, offset, checksum)
            held.callback(writing.close)
            whole = await _written(request, writing)
            told = await _in_thread(lambda: writing.end(whole=whole))
            if whole and told.offset == told.length:
                await _in_thread(self.desk.finish, place, partial, told)
            return told

    def _answering(
        self, answer: Callable[[Request, Place], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint: whoever asks is known, the place is its own, and every error is an answer that says little."""

        async def endpoint(request: Request) -> Response:
            try:
                response = await answer(request, await _in_thread(self._admitted, request))
            except Refusal as refusal:
                response = _said(request, refusal)
            except AcequiaError as error:
                response = _said(request, Refusal(503, error.code, "the server cannot do this now"))
            except OSError as error:
                status = 507 if error.errno in (28, 122) else 500  # no space, no quota
                response = _said(request, Refusal(status, "internal", "the server cannot store this now"))
            response.headers.update({"Tus-Resumable": protocol.VERSION, "X-Content-Type-Options": "nosniff"})
            return response

        return endpoint

    def _admitted(self, request: Request) -> Place:
        """The place that is asked for, if it is the asker's own."""
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        partner = self.door.whose(text.strip()) if kind.lower() == "bearer" else None
        if partner is None:
            self.mistakes.take(request.client.host if request.client else "")
            raise not_known()
        self.requests.take(partner)
        return self._place(partner, request.path_params)

    def _place(self, partner: str, asked: dict[str, Any]) -> Place:
        if asked["partner"] != partner:
            raise not_found()
        wanted = (partner, asked["feed"], asked["period"])
        at, place = self._places.get(wanted, (0.0, None))
        if place is None or time.monotonic() - at > PLACES_KEPT_S:
            place = self.desk.place(*wanted)
            if len(self._places) > 1000:
                self._places.clear()
            self._places[wanted] = (time.monotonic(), place)
        return place


def _said(request: Request, refusal: Refusal) -> Response:
    return problem(refusal, request.headers.get("accept-language", ""))


async def _no_place(request: Request, _: Exception) -> Response:
    return _said(request, not_found())


async def _no_way(request: Request, error: Exception) -> Response:
    headers = getattr(error, "headers", None)
    return _said(request, Refusal(405, "method_not_allowed", "there is no such way to use this place", headers))


async def _written(request: Request, writing: Writing) -> bool:
    """Write what the request brings, in pieces of some size; whether it came to its end."""
    stream, buffer = request.stream(), bytearray()
    try:
        while True:
            chunk = await asyncio.wait_for(anext(stream, None), IDLE_S)
            buffer += chunk or b""
            if buffer and (chunk is None or len(buffer) >= BUFFER):
                await _in_thread(writing.write, bytes(buffer))
                buffer.clear()
            if chunk is None:
                return True
    except (ClientDisconnect, TimeoutError):
        await _in_thread(writing.write, bytes(buffer))
        return False


async def _in_thread(work: Callable[..., T], *given: Any) -> T:
    return await run_in_threadpool(work, *given)
