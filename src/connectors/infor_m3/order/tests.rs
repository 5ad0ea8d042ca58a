//! Orders, mapped and met.
