"""What Dagster sees: assets with their checks, the job, the sensor, the schedules."""
