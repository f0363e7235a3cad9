//! What the system refuses: memory, threads, disks.
