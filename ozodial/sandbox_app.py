"""The simulator as an ASGI application: the vendor's paths, and `/sandbox/…` to look at it.

    GET  /sandbox/             counts
    GET  /sandbox/leads        also present, removed, callbacks, requests, tokens, violations,
                               faults: {"leads": [{…}, …]}
    GET  /sandbox/callbacks/ID what the vendor would call back about a V4 transaction, as JSON;
                               …/failed.csv has the rows that it did not take
    POST /sandbox/faults       {"faults": ["cut-after@2", …]} adds faults; DELETE drops them all
    POST /sandbox/reset        forgets everything

Decides nothing: `Sandbox` does, this module waits and answers. The answers never hold an API key.
"""

import asyncio
import json
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ozodial.deletes import DELETE_CALLS
from ozodial.endpoints import CAMPAIGN_STATUS_PATH
from ozodial.errors import UsageError
from ozodial.sandbox import Sandbox
from ozodial.sandbox_answers import bend
from ozodial.sandbox_callbacks import callback, failed_rows
from ozodial.sandbox_faults import Stage
from ozodial.sandbox_memory import Payload, Record, Transaction, as_dict
from ozodial.sandbox_wire import instead, json_response, spoil
from ozodial.sandbox_world import Visit

CLOSING = "ozodial.closing"
"""The key in the request's state under which the server puts an event: it is about to stop."""


_NOT_FOUND = HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", 404)
_NOT_ALLOWED = HTMLResponse("<html><body><h1>405 Method Not Allowed</h1></body></html>", 405)

_METHODS = {
    CAMPAIGN_STATUS_PATH.lower(): "GET",
    **{call.path.lower(): "DELETE" for call in DELETE_CALLS},
}
"""Every other call of the vendor's is a POST."""


def build_app(sandbox: Sandbox) -> Starlette:
    """The application of one sandbox."""
    vendor, window = _Vendor(sandbox), _Window(sandbox)
    return Starlette(
        routes=[
            Route("/sandbox/faults", window.change_faults, methods=["POST", "DELETE"]),
            Route("/sandbox/reset", window.reset, methods=["POST"]),
            Route("/sandbox/callbacks/{transaction}", window.call_back, methods=["GET"]),
            Route("/sandbox/callbacks/{transaction}/failed.csv", window.failed, methods=["GET"]),
            Route("/sandbox/", window.count, methods=["GET"]),
            Route("/sandbox/{what}", window.look, methods=["GET"]),
            Route("/{path:path}", vendor.answer, methods=["GET", "POST", "DELETE"]),
        ]
    )


class _Vendor:
    """The vendor's own paths."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def answer(self, request: Request) -> Response:
        """One request, from its arrival to its answer."""
        arrived = self._sandbox.clock.instant()
        if request.method != _METHODS.get(request.url.path.rstrip("/").lower(), "POST"):
            return _NOT_ALLOWED
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response()  # cut by the client before the end: nothing arrived
        path, method = request.url.path, request.method
        visit = self._sandbox.begin(path, request.headers, body, arrived, method)
        if visit is None:
            return _NOT_FOUND
        if await _stopped_within(request, visit.latency):
            self._sandbox.end(visit, "stopped")
            return Response(status_code=503)  # nobody reads it: the server is going
        return await self._respond(visit)

    async def _respond(self, visit: Visit) -> Response:
        if (before := visit.fault(Stage.BEFORE)) is not None:
            self._sandbox.end(visit)
            return instead(before, self._sandbox.clock.instant())
        payload = self._sandbox.work(visit)
        for fault in visit.faults:
            if fault.stage is Stage.ANSWER:
                payload = bend(payload, fault)
        wire = visit.fault(Stage.WIRE)
        response = (
            json_response(payload)
            if wire is None
            else await asyncio.to_thread(spoil, payload, wire)  # a gzip bomb takes a second
        )
        self._sandbox.end(visit)
        return response


class _Window:
    """What a test, or a curious operator, may see and change."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def count(self, _: Request) -> Response:
        """How much there is of everything."""
        counts: Payload = {what: len(records) for what, records in self._all().items()}
        return json_response({**counts, "faults": len(self._sandbox.faults)})

    async def look(self, request: Request) -> Response:
        """All records of one kind."""
        what = request.path_params["what"]
        if what == "faults":
            return json_response({what: [fault.text for fault in self._sandbox.faults]})
        records = self._all().get(what)
        if records is None:
            return _NOT_FOUND
        return json_response({what: [as_dict(record) for record in records]})

    async def call_back(self, request: Request) -> Response:
        """The callback of a V4 transaction."""
        found = self._transaction(request)
        if found is None:
            return _NOT_FOUND
        failed = str(request.url_for("failed", transaction=found.transaction))
        return json_response(callback(found, failed, self._sandbox.config.timezone))

    async def failed(self, request: Request) -> Response:
        """The file that a callback names: rows that were not taken."""
        found = self._transaction(request)
        if found is None:
            return _NOT_FOUND
        return Response(failed_rows(found), media_type="text/csv; charset=utf-8")

    def _transaction(self, request: Request) -> Transaction | None:
        wanted = request.path_params["transaction"]
        return next((t for t in self._sandbox.transactions if t.transaction == wanted), None)

    async def change_faults(self, request: Request) -> Response:
        """Add faults, or drop all of them."""
        if request.method == "DELETE":
            self._sandbox.behave()
            return await self.count(request)
        try:
            self._sandbox.misbehave(*_told(await request.body()))
        except UsageError as error:
            return json_response({"error": error.message}, 400)
        return await self.count(request)

    async def reset(self, request: Request) -> Response:
        """Forget everything."""
        self._sandbox.reset()
        return await self.count(request)

    def _all(self) -> dict[str, Sequence[Record]]:
        sandbox = self._sandbox
        return {
            "leads": sandbox.leads,
            "present": sandbox.present,
            "removed": sandbox.removed,
            "callbacks": sandbox.transactions,
            "requests": sandbox.requests,
            "tokens": sandbox.token_calls,
            "violations": sandbox.violations,
        }


def _told(body: bytes) -> Sequence[str]:
    try:
        told = json.loads(body)
        faults = told["faults"]
    except (ValueError, KeyError, TypeError):
        faults = None
    if not isinstance(faults, list) or not all(isinstance(fault, str) for fault in faults):
        raise UsageError('Tell faults as JSON: {"faults": ["cut-after@2"]}.')
    return faults


async def _stopped_within(request: Request, seconds: float) -> bool:
    """Wait; True if the server stops meanwhile. A client that leaves changes nothing."""
    closing: asyncio.Event | None = request.scope["state"].get(CLOSING)
    if seconds <= 0:
        return False
    if closing is None:
        await asyncio.sleep(seconds)
        return False
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        return False
    return True
