//! Every line of SQL. A row of a tenant is reached through a Scope, and only through one.
