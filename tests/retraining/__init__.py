"""What renewing a model is worth: measured on real tweets, with models that are trained for it."""
