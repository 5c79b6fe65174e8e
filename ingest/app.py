"""Routes and collaborators of the receiver, nothing else."""

import falcon.asgi

from contract.problems import service_folder
from contract.settings import Settings
from ingest.access import Access
from ingest.body import PushRequest
from ingest.health import Liveness, MetricsPage, Readiness
from ingest.landing import Landing
from ingest.metrics import Metrics
from ingest.receiver import PUSH_URL, Receiver
from ingest.refusal import Refusals
from ingest.rejects import RejectedError


def create_app(
    settings: Settings, landing: Landing, metrics: Metrics | None = None
) -> falcon.asgi.App[PushRequest, falcon.asgi.Response]:
    """Return the receiver as an ASGI application over an open ``landing``.

    ``metrics`` is where it counts; by default a registry of its own.
    """
    metrics = metrics or Metrics(landing, service_folder(settings.data))
    refusals = Refusals(metrics)
    receiver = Receiver(
        Access.from_settings(settings), landing, metrics, int(settings.max_body_bytes)
    )
    app = falcon.asgi.App(request_type=PushRequest)
    app.add_error_handler(Exception, refusals.on_failure)
    app.add_error_handler(RejectedError, refusals.on_reject)
    # Sinks, not routes: a route would answer a wrong method before the token is looked at.
    # Their types ask for **kwargs, which would hide what each really takes.
    app.add_sink(refusals.unknown_path, "")  # type: ignore[arg-type]
    app.add_sink(receiver.on_request, PUSH_URL)  # type: ignore[arg-type]
    app.add_route("/healthz", Liveness())
    app.add_route("/readyz", Readiness(landing))
    app.add_route("/metrics", MetricsPage(metrics))
    return app
