"""Events of a run without what is stored twice."""

from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.outputs import StepOutputData


def slim(event: EventLogEntry) -> EventLogEntry:
    """Return the event; that of an output without the figures that its materialisation has.

    The event itself stays: who re-executes a run from its failed step needs to know of each output
    whether it was made.
    """
    happened = event.dagster_event
    output = happened.event_specific_data if happened else None
    if happened is None or not isinstance(output, StepOutputData) or not output.metadata:
        return event
    bare = output._replace(metadata={})
    return event._replace(dagster_event=happened._replace(event_specific_data=bare))
