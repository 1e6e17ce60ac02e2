"""The model over HTTP: texts in, labels out, by the same engine as the stream."""
