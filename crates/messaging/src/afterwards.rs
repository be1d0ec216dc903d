//! What follows from a commit, and from nothing else.

use std::fmt;

/// Steps that a transaction collects and that are taken once it is committed. Those of one that is
/// rolled back are dropped with it, and no two transactions share any.
#[derive(Default)]
#[must_use = "what follows from the commit is still to be done"]
pub(crate) struct Afterwards(Vec<Box<dyn FnOnce() + Send + Sync>>);

impl Afterwards {
    /// One step more.
    pub(crate) fn push(&mut self, step: impl FnOnce() + Send + Sync + 'static) {
        self.0.push(Box::new(step));
    }

    /// Takes them all, in order.
    pub(crate) fn run(self) {
        for step in self.0 {
            step();
        }
    }
}

impl fmt::Debug for Afterwards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Afterwards").field(&self.0.len()).finish()
    }
}
