"""
Is an operation and its parameters in one latent worth more than a latent of the operation alone?

``python -m maintenance.hybrid OUT``, from a checkout, trains the recipe `coverage` with continuous parameters
in the same latent and measures it against parameters that are drawn apart. docs/experiments.md has the
answer, and ADR 25 the decision.
"""
