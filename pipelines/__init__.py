"""The pipeline: landed files to tables to exports, scheduled by Dagster."""
