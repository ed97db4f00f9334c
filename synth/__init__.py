"""Reads data, asks a model, tells the story. Begin with pipeline.py."""

__version__ = "0.1.0"
