//! Moves records: reconcile, plan, apply, decide. Knows systems only by their ports.
