"""The reports of the Admin API: what an organization used, and what it cost."""
