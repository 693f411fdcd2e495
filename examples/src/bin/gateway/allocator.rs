//! The allocator of the program.
//!
//! A translation needs for a moment several times what its result does, and the connections of a busy minute leave their
//! buffers behind. glibc keeps most of such memory: what was freed lies between things that stay. jemalloc keeps sizes apart
//! and gives pages back after ten seconds, in a thread of its own. Of 10,000 routes it holds a third less, of idle
//! connections, whose buffers are pages that were hardly written to, 8 KiB each instead of 13; requests cost the same.
//!
//! The choice is the program's: a library must make none for its users.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;
