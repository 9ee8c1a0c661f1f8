"""Tests of the doctor's judgements, over plain values."""
