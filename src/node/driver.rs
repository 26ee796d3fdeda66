//! Turns of a server in Node's event loop.
//!
//! Three libuv handles: a poll on the reactor's descriptor, a timer for its next deadline, and an
//! idle handle that runs only while the ready list has something. One wake-up is one turn inside
//! of one callback scope; microtasks and ticks of its handlers run when the scope closes. Only the
//! poll handle keeps the process alive.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

use napi_sys::{self as sys, Status};

use super::asker::Asker;
use super::shared::Shared;
use super::uv::{Handle, Loop};
use super::values::{self, Failed, Js, Outcome};
use crate::server::Server;

/// The handles of a server, and what they are set to.
#[derive(Debug)]
pub(super) struct Driver {
    js: Js,
    handles: RefCell<Option<Handles>>,
    /// The deadline that the timer is armed for.
    armed: Cell<Option<u64>>,
    idles: Cell<bool>,
    /// The async context of every callback scope, for `AsyncLocalStorage`: a null one would be the
    /// empty context.
    context: Cell<sys::napi_async_context>,
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
}

#[derive(Debug)]
struct Handles {
    poll: Handle,
    timer: Handle,
    idle: Handle,
    /// What the handles' data points to; dropped with them.
    _keeps: Rc<Shared>,
}

impl Driver {
    pub(super) fn new(js: Js) -> Self {
        Driver {
            js,
            handles: RefCell::new(None),
            armed: Cell::new(None),
            idles: Cell::new(false),
            context: Cell::new(ptr::null_mut()),
            hook: Cell::new(ptr::null_mut()),
        }
    }

    /// Begins to watch. A second call changes nothing.
    pub(super) fn start(shared: &Rc<Shared>, fd: RawFd) -> Outcome<()> {
        let driver = &shared.driver;
        if driver.handles.borrow().is_some() {
            return Ok(());
        }
        let data = Rc::as_ptr(shared).cast_mut().cast::<c_void>();
        let uv_loop = driver.uv_loop()?;
        let poll = Handle::poll(uv_loop, fd, data).map_err(|_| Failed)?;
        let timer = Handle::timer(uv_loop, data).map_err(|_| Failed)?;
        let idle = Handle::idle(uv_loop, data).map_err(|_| Failed)?;
        timer.set_ref(false);
        idle.set_ref(false);
        poll.set_ref(shared.wants_ref.get());
        poll.start_poll(on_readable).map_err(|_| Failed)?;
        driver.open(data)?;
        *driver.handles.borrow_mut() = Some(Handles { poll, timer, idle, _keeps: shared.clone() });
        Ok(())
    }

    fn uv_loop(&self) -> Outcome<Loop> {
        let mut uv_loop = ptr::null_mut();
        // SAFETY: a live environment on its thread (`Js::new`).
        let status = unsafe { sys::napi_get_uv_event_loop(self.js.raw(), &raw mut uv_loop) };
        match ptr::NonNull::new(uv_loop.cast::<c_void>()) {
            // SAFETY: the environment's loop outlives the handles: the clean-up hook closes them.
            Some(uv_loop) if status == Status::napi_ok => Ok(unsafe { Loop::new(uv_loop) }),
            _ => Err(Failed),
        }
    }

    /// Makes the async context, and asks to be told when the environment ends: an open handle
    /// then would abort the process.
    fn open(&self, data: *mut c_void) -> Outcome<()> {
        let (mut context, mut hook) = (ptr::null_mut(), ptr::null_mut());
        let name = self.js.latin1(b"BAREWIRE")?;
        // SAFETY: a live environment on its thread; `data` stays valid until the hook is removed,
        // since the handles keep it.
        let status = unsafe {
            match sys::napi_async_init(self.js.raw(), ptr::null_mut(), name, &raw mut context) {
                Status::napi_ok => sys::napi_add_async_cleanup_hook(
                    self.js.raw(),
                    Some(on_cleanup),
                    data,
                    &raw mut hook,
                ),
                status => status,
            }
        };
        self.context.set(context);
        self.hook.set(hook);
        if status == Status::napi_ok { Ok(()) } else { Err(Failed) }
    }

    pub(super) fn is_running(&self) -> bool {
        self.handles.borrow().is_some()
    }

    pub(super) fn set_ref(&self, keeps_alive: bool) {
        if let Some(handles) = &*self.handles.borrow() {
            handles.poll.set_ref(keeps_alive);
        }
    }

    /// Sets the timer and the idle handle to what the server needs next. Cheap when nothing has
    /// changed, which is the rule: deadlines move back lazily.
    pub(super) fn arm(&self, server: &mut Server<Asker>) {
        let handles = self.handles.borrow();
        let Some(handles) = &*handles else {
            return;
        };
        let idles = server.has_ready();
        if idles != self.idles.replace(idles) {
            if idles {
                handles.idle.start_idle(on_due);
            } else {
                handles.idle.stop_idle();
            }
        }
        let deadline = server.next_deadline();
        if deadline == self.armed.get() {
            return;
        }
        self.armed.set(deadline);
        match deadline {
            Some(at) => handles.timer.start_timer(on_due, at.saturating_sub(server.now_ms())),
            None => handles.timer.stop_timer(),
        }
    }

    /// Closes the handles. Nothing calls in any more.
    pub(super) fn stop(&self) {
        drop(self.handles.borrow_mut().take());
        let context = self.context.replace(ptr::null_mut());
        if !context.is_null() {
            // SAFETY: made by `open` in this environment, destroyed once.
            unsafe { sys::napi_async_destroy(self.js.raw(), context) };
        }
        let hook = self.hook.replace(ptr::null_mut());
        if !hook.is_null() {
            // SAFETY: made by `open`, removed once. An ending environment waits for the handles
            // that are closing: they belong to its loop, which it runs until they are closed.
            unsafe { sys::napi_remove_async_cleanup_hook(hook) };
        }
    }
}

/// One wake-up.
fn wake(shared: &Rc<Shared>) {
    let js = shared.bridge.js;
    js.in_callback_scope(shared.driver.context.get(), || {
        let boundary = values::boundary(js, || {
            // A handler that runs Node's loop itself (a debugger does) gets no second turn.
            if let Ok(mut server) = shared.server.try_borrow_mut()
                && let Some(server) = server.as_mut()
            {
                // An error of the poll itself leaves nothing to do but to try again.
                let _ = server.turn(Some(Duration::ZERO));
                shared.run_commands(server);
            }
            finish_if_closed(shared)?;
            Err(Failed)
        });
        debug_assert!(boundary.is_null());
    });
    // The scope has run the handlers' microtasks: late answers may have changed what is due.
    if let Ok(mut server) = shared.server.try_borrow_mut()
        && let Some(server) = server.as_mut()
    {
        shared.driver.arm(server);
    }
}

/// Tells JavaScript that the server is closed, once, and lets go of everything.
fn finish_if_closed(shared: &Shared) -> Outcome<()> {
    let cut = match shared.server.borrow_mut().as_mut() {
        Some(server) if server.is_closed() => {
            shared.last.replace(server.stats());
            server.cut()
        }
        _ => return Ok(()),
    };
    // The handles first: libuv doesn't allow to close a descriptor that it polls.
    shared.driver.stop();
    let closed = shared.closed.borrow_mut().take();
    drop(shared.server.borrow_mut().take());
    if let Some(closed) = closed {
        let js = shared.bridge.js;
        let cut = js.number(u32::try_from(cut).unwrap_or(u32::MAX))?;
        js.call(closed.value()?, &[cut])?;
    }
    Ok(())
}

/// # Safety
/// `handle` is a live handle whose data is the engine that keeps it.
unsafe fn shared_of(handle: *mut c_void) -> Option<Rc<Shared>> {
    // SAFETY: the caller's promise.
    let data = unsafe { Handle::data(handle) }.cast::<Shared>();
    if data.is_null() {
        return None;
    }
    // SAFETY: the handles keep a strong count, so the pointer came from a live `Rc`.
    unsafe {
        Rc::increment_strong_count(data);
        Some(Rc::from_raw(data))
    }
}

unsafe extern "C" fn on_readable(handle: *mut c_void, _: c_int, _: c_int) {
    // SAFETY: libuv gives the poll handle that `Driver::start` made.
    if let Some(shared) = unsafe { shared_of(handle) } {
        wake(&shared);
    }
}

unsafe extern "C" fn on_due(handle: *mut c_void) {
    // SAFETY: libuv gives the timer or the idle handle that `Driver::start` made.
    if let Some(shared) = unsafe { shared_of(handle) } {
        // A timer fires once; whatever is due next is armed anew.
        shared.driver.armed.set(None);
        wake(&shared);
    }
}

unsafe extern "C" fn on_cleanup(_: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    let data = data.cast::<Shared>();
    // SAFETY: the hook is removed with the handles, which keep a strong count.
    let shared = unsafe {
        Rc::increment_strong_count(data);
        Rc::from_raw(data)
    };
    shared.driver.stop();
    drop(shared.closed.borrow_mut().take());
    // On the stack of a turn (process.exit in a handler) the server stays: the process ends.
    if let Ok(mut server) = shared.server.try_borrow_mut() {
        drop(server.take());
    }
}
