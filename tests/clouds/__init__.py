"""Logins of clouds, against stand-ins that follow the vendors' documented exchanges."""
