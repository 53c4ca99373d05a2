"""The rooms of the console that show figures and requests: Home, Usage, Logs."""
