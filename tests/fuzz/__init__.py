"""Every parser of what others write, for hypothesis and for atheris."""
