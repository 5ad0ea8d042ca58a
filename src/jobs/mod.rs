//! The few jobs that the queue runs: names, limits and what each wakes.
