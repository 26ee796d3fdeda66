//! The binding: a [`crate::server::Server`] inside of Node's own event loop, and one JavaScript
//! function as its handler. The sole user of napi and napi-sys; `lib/` is its only caller.
//!
//! - [`engine`]: the class that `lib/` constructs: registration, options, errors, by `napi`.
//! - [`calls`]: the functions on a request's path, by raw `napi-sys`.
//! - [`asker`]: the handler: a request becomes one call of JavaScript.
//! - [`bridge`]: what the handler and those functions share.
//! - [`command`]: what waits for the end of a turn.
//! - [`driver`]: turns of the server, driven by libuv.
//! - [`files`]: files as answers and as bodies, by `napi`.
//! - [`multipart`]: the parser of uploads, for JavaScript to push bytes through.
//! - [`held`]: those bodies, by number.
//! - [`record`]: the words of shared memory that both sides read and write.
//! - [`uv`], [`values`]: libuv and Node-API in the few forms that are needed here.
//!
//! Two rules hold for all of it. The server is borrowed for the length of a turn; what JavaScript
//! asks for meanwhile is queued and done right after the turn. And no panic and no pending
//! exception leaves a callback: [`values::boundary`] is around each of them.

mod asker;
mod bridge;
mod calls;
mod command;
mod driver;
#[allow(unreachable_pub, clippy::needless_pass_by_value)] // as `#[napi]` wants its items
mod engine;
// As `#[napi]` wants its items; it alone calls them.
#[allow(dead_code, unreachable_pub, clippy::needless_pass_by_value)]
mod files;
mod held;
#[allow(unreachable_pub, clippy::needless_pass_by_value)] // the same
mod multipart;
mod record;
mod shared;
mod uv;
mod values;
