//! The allocator of every process that hosts a service: the order of the day is many small
//! allocations that one thread makes and another frees, which the system's allocator does slowly.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
