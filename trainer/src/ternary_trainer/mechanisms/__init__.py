"""
Mechanisms of training that a recipe of method `separate` can switch on: one file, one table of settings each.

No default recipe uses one. docs/ablations.md says what each was worth when it was measured. A recipe without
a mechanism draws no random number for it, so its weights are those of before.
"""
