"""A pytest plugin: a whole run fails when no test provoked a documented answer.

It counts the answers of applications in the tests' own processes. Answers to fuzzing do not
count, because they differ in each run.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from auth_service.app import interface
from media_service.app import INTERFACE
from shared.middleware import OPERATIONS, add_headers

ALIKE = {"service_unavailable", "malformed_request", "request_timeout"}
"""What the middleware answers alike, whatever the route: tests/shared provokes it."""

Answered = tuple[str, str, int, str]
"""Method, path, status, and the problem's code where it is one."""

_seen: set[Answered] = set()
_missing: list[Answered] = []


def pytest_configure() -> None:
    """Look at every answer on its way out."""

    async def noting(request: web.Request, response: web.StreamResponse) -> None:
        await add_headers(request, response)
        if "schemathesis" not in request.headers.get("User-Agent", ""):
            _note(request, response)

    pytest.MonkeyPatch().setattr("shared.application.add_headers", noting)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what a worker has seen, or judge what all of them have."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["answers"] = sorted(_seen)
    elif _is_whole(session.config) and session.exitstatus == pytest.ExitCode.OK:
        _missing.extend(sorted(set(_documented()) - _seen))
        if _missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker has seen."""
    _seen.update(tuple(one) for one in getattr(node, "workeroutput", {}).get("answers", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what no test has provoked."""
    if _missing:
        terminalreporter.section("documented, and provoked by no test", red=True)
        for method, path, status, code in _missing:
            terminalreporter.write_line(f"{method} {path}: {status} {code}")


def _note(request: web.Request, response: web.StreamResponse) -> None:
    operation = request.app[OPERATIONS].get(request.match_info.handler)
    if operation is None:
        return
    code = ""
    if response.content_type == "application/problem+json" and isinstance(response, web.Response):
        code = json.loads(response.text or "")["code"]
    path = "/".join(request.path.split("/")[:3]) + operation.path
    _seen.add((operation.method, path, response.status, code))


def _documented() -> Iterator[Answered]:
    for service in (interface(development=True), INTERFACE):
        for operation in service.operations:
            path = service.prefix + operation.path
            for status in operation.answers:
                yield operation.method, path, status, ""
            for error in operation.possible_errors():
                if error.code not in ALIKE and operation.method != "HEAD":  # no body to tell it by
                    yield operation.method, path, int(error.status), error.code


def _is_whole(config: pytest.Config) -> bool:
    """Return whether nothing was left out."""
    chosen = config.option.keyword or config.option.markexpr or config.option.deselect
    from_settings = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return from_settings and not chosen and not config.getoption("lf", default=False)
