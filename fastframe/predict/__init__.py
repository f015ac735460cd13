"""Fitted models read into data, compiled, checked against the model, and run from columns; see ``docs/plans/predict.md``."""
