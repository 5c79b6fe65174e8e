"""The graph: everything that Dagster loads."""

import dagster as dg

from pipelines.runs import assets, automation


def definitions() -> dg.Definitions:
    """Assets, checks, the job, its sensor and its schedules."""
    return dg.Definitions(
        assets=[
            assets.landed_files,
            assets.send_files,
            assets.load_assets,
            assets.mart_assets,
            assets.publish_assets,
        ],
        jobs=[automation.refresh, automation.housekeeping],
        sensors=[automation.landed_files_sensor],
        schedules=[automation.hourly_refresh, automation.daily_housekeeping],
        executor=dg.in_process_executor,
    )
