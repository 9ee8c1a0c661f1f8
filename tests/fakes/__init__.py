"""Stand-ins that behave like the real thing: a registry with a log and scripted answers, and a faulty wire."""
