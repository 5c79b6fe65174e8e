"""What Dagster sees, and what runs a pipeline: assets, job, sensor, schedules, rebuild, status."""
