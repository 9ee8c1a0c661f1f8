"""Report: plans and outcomes in, text out; one renderer a file. Nothing here decides or reads a registry."""
