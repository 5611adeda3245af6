//! Serves the handler that the function's template names.
