"""Names that instances of Dagster made before December 2026 keep in their ``dagster.yaml``."""
