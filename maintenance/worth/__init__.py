"""
What the latents of a model are worth: ``python -m maintenance.worth PART``, from a checkout.

Three questions, each against what a user has without a model: do latents predict properties and costs, do
they help to find cheap operations, and how many bits does one need. docs/experiments.md has the answers.
"""
