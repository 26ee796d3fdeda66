//! The functions that JavaScript calls on a request's path, by raw Node-API: no wrapping, no
//! conversion that isn't needed.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::rc::Rc;

use napi_sys::{self as sys, Status, napi_callback_info, napi_env, napi_value};

use super::command::Command;
use super::shared::Shared;
use super::values::{Failed, Js, Outcome, boundary};
use crate::server::{Block, Credit, ReplyError};

/// A function that JavaScript can call.
pub(super) type Callback = unsafe extern "C" fn(napi_env, napi_callback_info) -> napi_value;

/// Those of an engine.
pub(super) const FUNCTIONS: [(&CStr, Option<Callback>); 12] = [
    (c"stage", Some(stage)),
    (c"remember", Some(remember)),
    (c"answer", Some(answer)),
    (c"inform", Some(inform)),
    (c"write", Some(write)),
    (c"end", Some(end)),
    (c"abort", Some(abort)),
    (c"readBody", Some(read_body)),
    (c"takeText", Some(take_text)),
    (c"takeBytes", Some(take_bytes)),
    (c"takeTrailers", Some(take_trailers)),
    (c"setTimeout", Some(set_timeout)),
];

/// Puts functions on an object. Each keeps what they share, and gets it back by [`call`].
pub(super) fn install<T>(
    js: Js,
    object: napi_value,
    shared: &Rc<T>,
    functions: &[(&CStr, Option<Callback>)],
) -> Outcome<()> {
    for &(name, callback) in functions {
        let data = Rc::into_raw(shared.clone()).cast_mut().cast::<c_void>();
        let mut function = ptr::null_mut();
        // SAFETY: a live environment on its thread; `data` is a strong count that the function's
        // finalizer gives back.
        let status = unsafe {
            let length = name.count_bytes().cast_signed();
            let made = sys::napi_create_function(
                js.raw(),
                name.as_ptr(),
                length,
                callback,
                data,
                &raw mut function,
            );
            match made {
                Status::napi_ok => sys::napi_add_finalizer(
                    js.raw(),
                    function,
                    data,
                    Some(finalize::<T>),
                    ptr::null_mut(),
                    ptr::null_mut(),
                ),
                status => status,
            }
        };
        if status != Status::napi_ok {
            // SAFETY: no function has it: the count is still ours.
            drop(unsafe { Rc::from_raw(data.cast::<T>()) });
            return Err(Failed);
        }
        // SAFETY: a live environment, an object and a function of this scope.
        let status =
            unsafe { sys::napi_set_named_property(js.raw(), object, name.as_ptr(), function) };
        if status != Status::napi_ok {
            return Err(Failed);
        }
    }
    Ok(())
}

unsafe extern "C" fn finalize<T>(_: napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the strong count that `install` gave to the function; finalized once.
    drop(unsafe { Rc::from_raw(data.cast::<T>()) });
}

/// Reads what the functions share and the arguments of a call. Missing ones are `undefined`.
///
/// # Safety
/// Only for callbacks made by [`install`] with the same type, with what Node-API gave them.
pub(super) unsafe fn call<T, const N: usize>(
    env: napi_env,
    info: napi_callback_info,
    run: impl FnOnce(Js, &T, [napi_value; N]) -> Outcome<napi_value>,
) -> napi_value {
    // SAFETY: Node-API calls with a live environment on its thread.
    let js = unsafe { Js::new(env) };
    boundary(js, || {
        let (mut count, mut arguments, mut data) = (N, [ptr::null_mut(); N], ptr::null_mut());
        // SAFETY: as above; there is room for N arguments.
        let status = unsafe {
            sys::napi_get_cb_info(
                env,
                info,
                &raw mut count,
                arguments.as_mut_ptr(),
                ptr::null_mut(),
                &raw mut data,
            )
        };
        if status != Status::napi_ok {
            return Err(Failed);
        }
        // SAFETY: the function holds a strong count (`install`) and is being called.
        let shared = unsafe { &*data.cast::<T>() };
        run(js, shared, arguments)
    })
}

/// `stage(block: string): boolean`
unsafe extern "C" fn stage(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: made by `install`.
    unsafe { call(env, info, |js, shared: &Shared, [text]| js.boolean(shared.bridge.stage(text)?)) }
}

/// `remember(block: string): number`
unsafe extern "C" fn remember(env: napi_env, info: napi_callback_info) -> napi_value {
    // SAFETY: made by `install`.
    unsafe {
        call(env, info, |js, shared: &Shared, [text]| js.number(shared.bridge.remember(text)?))
    }
}

/// `answer(body): boolean`: the late answer to the request that the record names.
unsafe extern "C" fn answer(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, [body]: [napi_value; 1]| {
        let bridge = &shared.bridge;
        let (id, stated) = (bridge.record.id(), bridge.record.stated());
        let Ok(mut server) = shared.server.try_borrow_mut() else {
            let command = bridge.answer_command(id, body, stated)?;
            bridge.commands.borrow_mut().push(command);
            return js.boolean(true);
        };
        let Some(server) = server.as_mut() else {
            return js.boolean(false);
        };
        let brought = bridge.give_late(server, id, body, stated);
        shared.driver.arm(server);
        js.boolean(brought)
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `inform(): boolean`: an interim answer to the request that the record names, with the status and
/// the header block that it states.
unsafe extern "C" fn inform(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, _: [napi_value; 0]| {
        let bridge = &shared.bridge;
        let (id, stated) = (bridge.record.id(), bridge.record.stated());
        if let Some(informed) = bridge.inform_current(id, stated) {
            return js.boolean(informed);
        }
        let status = stated.status;
        let block = bridge.with_block(stated.block, Block::clone);
        let informed = shared.apply(
            |server| server.inform(id, status, &block).is_ok(),
            || Command::Inform { id, status, block: block.clone() },
        );
        js.boolean(informed.unwrap_or(true))
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `write(part: Uint8Array): number`: a part of the streamed answer to the request that the record
/// names; 0 is go on, 1 is wait for room, 2 is that it goes nowhere, 3 that it is too much.
unsafe extern "C" fn write(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, [part]: [napi_value; 1]| {
        let id = shared.bridge.record.id();
        // SAFETY: no JavaScript runs until the bytes are written or copied.
        let part = unsafe { js.part(part)? };
        let brought = shared
            .apply(|server| server.chunk(id, part), || Command::Write { id, part: part.to_vec() });
        js.number(match brought {
            Some(Ok(Credit::Go)) => 0,
            // Queued: the turn that is under way has enough to do.
            None if shared.is_open() => 0,
            Some(Ok(Credit::Wait)) => 1,
            Some(Err(ReplyError::Answer(_))) => 3,
            Some(Err(ReplyError::Stale)) | None => 2,
        })
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `end(): number`: the streamed answer is complete; 2 is that it goes nowhere, 3 that it is too
/// little, and then the connection is cut.
unsafe extern "C" fn end(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, _: [napi_value; 0]| {
        let id = shared.bridge.record.id();
        shared.bridge.forget(id);
        let ended =
            shared.apply(|server| server.finish(id, &[]), || Command::End { id, is_regular: true });
        js.number(match ended {
            Some(Ok(())) | None => 0,
            Some(Err(ReplyError::Stale)) => 2,
            Some(Err(ReplyError::Answer(_))) => 3,
        })
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `abort(): void`: the streamed answer is given up, its connection is cut.
unsafe extern "C" fn abort(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, _: [napi_value; 0]| {
        let id = shared.bridge.record.id();
        shared.apply(|server| server.abort(id).is_ok(), || Command::End { id, is_regular: false });
        js.undefined()
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `readBody(isPassed: boolean): void`: reads the rest of the body of the request that the record
/// names, part by part or as a whole.
unsafe extern "C" fn read_body(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, [is_passed]: [napi_value; 1]| {
        let id = shared.bridge.record.id();
        if js.is_true(is_passed) {
            shared.bridge.pass_body(id);
        }
        shared.apply(|server| server.read_body(id), || Command::ReadBody { id });
        js.undefined()
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `takeText(): string | undefined`
unsafe extern "C" fn take_text(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, _: [napi_value; 0]| {
        let bridge = &shared.bridge;
        let read = |body: &[u8]| {
            js.utf8(body).inspect_err(|_| {
                js.report_exception();
                js.throw_too_long(body.len());
            })
        };
        bridge.take_body(bridge.record.id(), read).unwrap_or_else(|| js.undefined())
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `takeBytes(): Uint8Array | undefined`
unsafe extern "C" fn take_bytes(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, _: [napi_value; 0]| {
        let bridge = &shared.bridge;
        bridge.take_bytes(bridge.record.id()).unwrap_or_else(|| js.undefined())
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `takeTrailers(): string`: the trailer fields of the request that the record names, as a header
/// block; empty when there are none.
unsafe extern "C" fn take_trailers(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, _: [napi_value; 0]| {
        let bridge = &shared.bridge;
        js.latin1(&bridge.take_trailers(bridge.record.id()).unwrap_or_default())
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}

/// `setTimeout(ms: number): boolean`: the time limit of the request that the record names.
unsafe extern "C" fn set_timeout(env: napi_env, info: napi_callback_info) -> napi_value {
    let run = |js: Js, shared: &Shared, [limit]: [napi_value; 1]| {
        let id = shared.bridge.record.id();
        let timeout = js.float(limit)? as u64;
        if shared.bridge.limit_current(id, timeout) {
            return js.boolean(true);
        }
        let set = shared.apply(
            |server| server.set_timeout(id, timeout),
            || Command::SetTimeout { id, timeout },
        );
        js.boolean(set.unwrap_or(true))
    };
    // SAFETY: made by `install`.
    unsafe { call(env, info, run) }
}
