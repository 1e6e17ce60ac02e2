"""What training imports, once for all the processes of a test; named to a fork server."""

import mlflow.tracking
import sklearn.feature_extraction.text
from transformers import DistilBertForSequenceClassification

import retrain.training.run_training

__all__ = ["DistilBertForSequenceClassification", "mlflow", "retrain", "sklearn"]
