"""What can be done about what could not be processed: look, publish again, give up, go on."""
