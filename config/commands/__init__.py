"""The nouns of `./tollgate`: one file each, found by listing this package.

A file has `add_parser(subparsers)`, which sets the defaults `run` (takes the parsed arguments, returns the exit code)
and `needs_database` (True: run with the database up, migrated, and Django ready). It imports Django's models inside
functions only: `--help` lists all commands without settings.
"""
