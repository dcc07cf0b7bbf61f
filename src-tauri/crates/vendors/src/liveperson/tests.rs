//! Answers as they stand on the wire, and whole lives against a server.
