"""
The command that makes one training of a plan again, ready to be pasted into a shell.
"""

import shlex

from ternary_trainer.ablation.plan import Option, Plan


def train(plan: Plan, option: Option, seed: int) -> str:
    """``ternary train`` with the recipe, the settings and the seed of one training."""
    settings = [word for key, value in option.settings.items() for word in ("--set", f"{key}={value}")]
    return shlex.join(["ternary", "train", "--recipe", plan.recipe, *settings, "--seed", str(seed)])
