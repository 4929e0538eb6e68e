"""What each setting of a recipe is worth: trainings with and without it, compared seed by seed."""
