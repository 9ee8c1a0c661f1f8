"""Tests of the room gates: plain values."""
