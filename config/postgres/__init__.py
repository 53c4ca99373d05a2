"""The embedded PostgreSQL: real server binaries under our own small supervision."""
