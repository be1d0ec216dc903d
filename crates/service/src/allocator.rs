//! The allocator of every process that hosts a service: one thread makes many small allocations
//! and another frees them, which is slow with the system's allocator.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
