"""The UI: Dagster's webserver behind our guard. `dlr up` starts it.

    python -m pipelines.service.ui HOST:PORT WORKSPACE

The other settings come from the environment. WORKSPACE names the code server.
"""

import sys

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.cli import (
    DEFAULT_DB_STATEMENT_TIMEOUT,
    DEFAULT_POOL_MAX_OVERFLOW,
    DEFAULT_POOL_RECYCLE,
)
from dagster_webserver.version import __version__
from dagster_webserver.webserver import DagsterWebserver
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from contract.settings import load_settings, split_bind
from pipelines.service.guard import Guard, refusal_of_graphql

_POLL_MS = 2000
"""How often an open page asks for news of assets, as Dagster's own command has it."""


class _Webserver(DagsterWebserver[WorkspaceProcessContext, WorkspaceRequestContext]):
    """Dagster's, with a guard at the handler itself: a path can be spelled in many ways."""

    async def graphql_http_endpoint(self, request: Request) -> Response:
        """Refuse what a foreign page could ask for, answer the rest."""
        if refusal := refusal_of_graphql(request):
            return PlainTextResponse(f"{refusal.sentence}\n", refusal.status)
        answer: Response = await super().graphql_http_endpoint(request)
        return answer


def main(bind: str, workspace: str) -> None:
    """Serve until SIGINT or SIGTERM."""
    settings = load_settings()
    host, port = split_bind(bind)
    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(
            DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW
        )
        with WorkspaceProcessContext(
            instance,
            WorkspaceFileTarget([workspace]),
            version=__version__,
            read_only=settings.ui_read_only,
        ) as context:
            webserver = _Webserver(context, settings.ui_path_prefix, _POLL_MS)
            uvicorn.run(
                Guard(webserver.create_asgi_app(), (bind.rpartition(":")[0], *settings.ui_hosts)),
                host=host,
                port=port,
                log_level="warning",
                lifespan="off",
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
