"""Decisions fitted on people's labels of a stream, judged, kept and put to use."""
