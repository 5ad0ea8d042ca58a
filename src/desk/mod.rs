//! What people do: sign up, connect, map, approve, retry. One function is one transaction: the change,
//! its audit event and the wake of the work that follows.
