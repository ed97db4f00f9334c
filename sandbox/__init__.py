"""May this code run, and running it safely."""
