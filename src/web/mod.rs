//! Pages and the JSON API. A handler is: scope, parse, one call, answer.
