"""Made-up data for the suites: rows from seeded generators, and the real writers that turn them into sources."""
