"""Moving bytes: the copy of one blob, its verification and the meter. Order, limits and tags are the executor's."""
