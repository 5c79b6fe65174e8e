"""Everything that Dagster sees, put together."""

import dagster as dg

from pipelines.runs import assets, jobs, schedules, sensors


def definitions() -> dg.Definitions:
    """Assets, checks, jobs, the sensor and the schedules."""
    return dg.Definitions(
        assets=[
            assets.landed_files,
            assets.send_files,
            assets.load_assets,
            assets.mart_assets,
            assets.publish_assets,
        ],
        jobs=[jobs.refresh, jobs.housekeeping],
        sensors=[sensors.landed_files_sensor],
        schedules=[schedules.hourly_refresh, schedules.daily_housekeeping],
        executor=dg.in_process_executor,
    )
