"""The hostile-registry suite: whole runs of apply against registries that tell one lie, at each endpoint in turn."""
