"""Plan: the values between survey and executor, and the pure functions that make one from the other."""
