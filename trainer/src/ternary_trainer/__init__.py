"""Train the two-path VAE over all 19,683 ternary operations, and keep the best of a run."""
