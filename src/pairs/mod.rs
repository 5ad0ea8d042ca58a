//! One file per kind of pair: which flows, in which direction, who is master, with which defaults.
