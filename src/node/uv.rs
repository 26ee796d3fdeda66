//! libuv, in the three kinds of handles that drive a server: poll, timer, idle.
//!
//! The symbols are exported by the Node.js executable. A handle's memory is ours; it is freed in
//! its close callback and nowhere else, as libuv asks.

use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::ptr::NonNull;

/// Called by libuv with the handle; a poll's status and events follow, which nobody needs here.
pub(super) type Callback = unsafe extern "C" fn(handle: *mut c_void);

const READABLE: c_int = 1;
/// Numbers of `uv_handle_type`.
const IDLE: c_int = 6;
const POLL: c_int = 8;
const TIMER: c_int = 13;

unsafe extern "C" {
    fn uv_handle_size(kind: c_int) -> usize;
    fn uv_handle_set_data(handle: *mut c_void, data: *mut c_void);
    fn uv_handle_get_data(handle: *const c_void) -> *mut c_void;
    fn uv_close(handle: *mut c_void, callback: Callback);
    fn uv_ref(handle: *mut c_void);
    fn uv_unref(handle: *mut c_void);
    fn uv_poll_init(uv_loop: *mut c_void, handle: *mut c_void, fd: c_int) -> c_int;
    fn uv_poll_start(
        handle: *mut c_void,
        events: c_int,
        callback: unsafe extern "C" fn(*mut c_void, c_int, c_int),
    ) -> c_int;
    fn uv_timer_init(uv_loop: *mut c_void, handle: *mut c_void) -> c_int;
    fn uv_timer_start(
        handle: *mut c_void,
        callback: Callback,
        timeout_ms: u64,
        repeat_ms: u64,
    ) -> c_int;
    fn uv_timer_stop(handle: *mut c_void) -> c_int;
    fn uv_idle_init(uv_loop: *mut c_void, handle: *mut c_void) -> c_int;
    fn uv_idle_start(handle: *mut c_void, callback: Callback) -> c_int;
    fn uv_idle_stop(handle: *mut c_void) -> c_int;
}

/// The event loop of an environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loop(NonNull<c_void>);

impl Loop {
    /// # Safety
    /// `uv_loop` is a running loop, used on its own thread, that outlives every handle made on it.
    pub(super) unsafe fn new(uv_loop: NonNull<c_void>) -> Self {
        Loop(uv_loop)
    }
}

/// A handle on the heap. Dropping it closes it; the memory goes when libuv has let go of it.
#[derive(Debug)]
pub(super) struct Handle(NonNull<c_void>);

impl Handle {
    fn allocate(kind: c_int) -> Handle {
        // SAFETY: a plain query.
        let size = unsafe { uv_handle_size(kind) };
        assert!(size <= size_of::<Memory>(), "libuv's handles have grown to {size} bytes");
        Handle(NonNull::from(Box::leak(Box::new(Memory([0; 512])))).cast())
    }

    /// A handle that watches a descriptor.
    pub(super) fn poll(uv_loop: Loop, fd: RawFd, data: *mut c_void) -> Result<Handle, c_int> {
        let handle = Handle::allocate(POLL);
        // SAFETY: the loop is live (`Loop::new`), the memory is large enough (`allocate`).
        let status = unsafe { uv_poll_init(uv_loop.0.as_ptr(), handle.0.as_ptr(), fd) };
        handle.initialised(status, data)
    }

    /// A handle for a deadline.
    pub(super) fn timer(uv_loop: Loop, data: *mut c_void) -> Result<Handle, c_int> {
        let handle = Handle::allocate(TIMER);
        // SAFETY: as in `poll`.
        let status = unsafe { uv_timer_init(uv_loop.0.as_ptr(), handle.0.as_ptr()) };
        handle.initialised(status, data)
    }

    /// A handle that keeps the loop from sleeping.
    pub(super) fn idle(uv_loop: Loop, data: *mut c_void) -> Result<Handle, c_int> {
        let handle = Handle::allocate(IDLE);
        // SAFETY: as in `poll`.
        let status = unsafe { uv_idle_init(uv_loop.0.as_ptr(), handle.0.as_ptr()) };
        handle.initialised(status, data)
    }

    fn initialised(self, status: c_int, data: *mut c_void) -> Result<Handle, c_int> {
        if status != 0 {
            // libuv doesn't know it: there is nothing to close.
            let handle = std::mem::ManuallyDrop::new(self);
            // SAFETY: the memory came from `allocate` and nobody else has it.
            unsafe { release(handle.0.as_ptr()) };
            return Err(status);
        }
        // SAFETY: an initialised handle.
        unsafe { uv_handle_set_data(self.0.as_ptr(), data) };
        Ok(self)
    }

    /// The data that the handle was made with, or null after its drop.
    ///
    /// # Safety
    /// `handle` is what libuv gave to a callback.
    pub(super) unsafe fn data(handle: *mut c_void) -> *mut c_void {
        // SAFETY: the caller's promise.
        unsafe { uv_handle_get_data(handle) }
    }

    pub(super) fn start_poll(
        &self,
        callback: unsafe extern "C" fn(*mut c_void, c_int, c_int),
    ) -> Result<(), c_int> {
        // SAFETY: a live poll handle.
        match unsafe { uv_poll_start(self.0.as_ptr(), READABLE, callback) } {
            0 => Ok(()),
            status => Err(status),
        }
    }

    pub(super) fn start_timer(&self, callback: Callback, delay_ms: u64) {
        // SAFETY: a live timer handle; the only failure is a closing handle.
        unsafe { uv_timer_start(self.0.as_ptr(), callback, delay_ms, 0) };
    }

    pub(super) fn stop_timer(&self) {
        // SAFETY: a live timer handle.
        unsafe { uv_timer_stop(self.0.as_ptr()) };
    }

    pub(super) fn start_idle(&self, callback: Callback) {
        // SAFETY: a live idle handle; the only failure is a missing callback.
        unsafe { uv_idle_start(self.0.as_ptr(), callback) };
    }

    pub(super) fn stop_idle(&self) {
        // SAFETY: a live idle handle.
        unsafe { uv_idle_stop(self.0.as_ptr()) };
    }

    /// Whether the handle keeps the loop alive.
    pub(super) fn set_ref(&self, keeps_alive: bool) {
        // SAFETY: a live handle.
        unsafe {
            if keeps_alive {
                uv_ref(self.0.as_ptr());
            } else {
                uv_unref(self.0.as_ptr());
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle was initialised and isn't closing: only this closes it. Its data may
        // be gone by the time of the callback, which doesn't look at it.
        unsafe {
            uv_handle_set_data(self.0.as_ptr(), std::ptr::null_mut());
            uv_close(self.0.as_ptr(), on_closed);
        }
    }
}

/// Room for any of the handles: the largest has 160 bytes in libuv 1.x.
#[repr(C, align(16))]
struct Memory([u8; 512]);

/// # Safety
/// `memory` came from [`Handle::allocate`], and libuv has let go of it.
unsafe fn release(memory: *mut c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(memory.cast::<Memory>()) });
}

unsafe extern "C" fn on_closed(handle: *mut c_void) {
    // SAFETY: libuv calls this once, last of all.
    unsafe { release(handle) };
}
