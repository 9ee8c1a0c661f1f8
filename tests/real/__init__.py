"""Tests against programs that nobody here wrote: Debian's docker-registry and skopeo."""
