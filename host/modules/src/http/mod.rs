//! Requests to HTTP servers: the module `http`.
