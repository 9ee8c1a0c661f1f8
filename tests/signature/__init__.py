"""Tests of what proves something of an image: signatures, attestations, names and keys."""
