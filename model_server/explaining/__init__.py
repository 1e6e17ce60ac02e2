"""Which words of a text made the model answer as it did? Pure: numpy alone, no model inside."""
