"""Logins that a cloud makes for its registry. Which library makes one, and what it needs, is said one cloud a file."""
