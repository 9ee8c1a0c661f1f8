"""Promotion: rules that move a release along stages, and the records of that. Builds plans, copies nothing."""
