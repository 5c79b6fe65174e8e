"""The schedules: a refresh every hour, housekeeping every night."""

import dagster as dg

from pipelines.runs.jobs import housekeeping, refresh

hourly_refresh = dg.ScheduleDefinition(
    name="hourly_refresh",
    job=refresh,
    cron_schedule="7 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A refresh every hour, in case the sensor is off or missed something.",
)

daily_housekeeping = dg.ScheduleDefinition(
    name="daily_housekeeping",
    job=housekeeping,
    cron_schedule="37 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes old run history and compacts landed files, every night.",
)
