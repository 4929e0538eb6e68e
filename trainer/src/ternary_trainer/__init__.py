"""Train VAEs over a space of operations, and keep the best of a run."""
