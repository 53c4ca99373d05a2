"""The Admin API's manners: an admin key opens it, errors and headers look as Claude's."""
