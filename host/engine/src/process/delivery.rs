//! What a process is resumed with, and what is seen of it while it rests.
//!
//! Owns the shapes. What goes in is decided where the process waits.

use std::sync::mpsc::Sender;

use lunarium_kernel::{Item, Reply};

use crate::catalogue::Program;

/// What a process is resumed with.
#[derive(Default)]
pub(crate) struct Delivery {
    pub(crate) items: Vec<Item>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) output_ready: bool,
    pub(crate) inspections: Vec<Sender<AtRest>>,
    /// It goes on as this: then there is nothing else.
    pub(crate) ordered: Option<Box<Program>>,
}

/// What the instance of a process at rest looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AtRest {
    /// The guest's stack pointer: the same for every process at rest, because none holds a frame.
    pub stack_pointer: u32,
    /// Bytes of the instance's memories and tables.
    pub memory: u64,
}

impl Delivery {
    /// Nothing for the guest.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.replies.is_empty() && !self.output_ready
    }
}
