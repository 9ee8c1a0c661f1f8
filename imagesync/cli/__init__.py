"""The command line: one command a file. The only room that names concrete stores and turns errors into exit codes."""
