"""The words sent to models and the closure templates, versioned."""
