"""The doctor: looks at every registry of a spec and says what is wrong there, and what to do about it.

`subjects` says who is looked at, `gathering` asks, and `diagnosis` judges what came of that. Only gathering does I/O.
"""
