//! Schema steps, one file a step.
