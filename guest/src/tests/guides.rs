//! guides
