"""What readers get: data files, database, manifest, dictionary, report; prepared, then shown."""
