//! Node-API in the few forms that a request's path needs: strings, calls, references, scopes.
//!
//! Each function turns a status into a `Result`; the error says nothing more, because all that can
//! be done is to clear a pending exception and go on.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

use napi_sys::{self as sys, Status, napi_env, napi_ref, napi_value};

/// A call of Node-API did not work: an exception is pending, or the environment is dying.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed;

pub(super) type Outcome<T> = Result<T, Failed>;

fn check(status: sys::napi_status) -> Outcome<()> {
    if status == Status::napi_ok { Ok(()) } else { Err(Failed) }
}

/// An environment: one for each thread that runs JavaScript, used on that thread alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Js(napi_env);

// Each unsafe block below relies on the same invariant, which `Js::new` was promised: the
// environment is live and this is its thread. Values are only used inside of the handle scope
// that they were made in.
impl Js {
    /// # Safety
    /// `env` is a live environment of this thread, and the value isn't used after it has ended.
    pub(super) unsafe fn new(env: napi_env) -> Js {
        Js(env)
    }

    pub(super) fn raw(self) -> napi_env {
        self.0
    }

    pub(super) fn undefined(self) -> Outcome<napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: see the head of this block.
        check(unsafe { sys::napi_get_undefined(self.0, &raw mut value) })?;
        Ok(value)
    }

    pub(super) fn boolean(self, truth: bool) -> Outcome<napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: see the head of this block.
        check(unsafe { sys::napi_get_boolean(self.0, truth, &raw mut value) })?;
        Ok(value)
    }

    pub(super) fn number(self, number: u32) -> Outcome<napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: see the head of this block.
        check(unsafe { sys::napi_create_uint32(self.0, number, &raw mut value) })?;
        Ok(value)
    }

    /// What a number says.
    pub(super) fn float(self, value: napi_value) -> Outcome<f64> {
        let mut number = 0.0;
        // SAFETY: see the head of this block.
        check(unsafe { sys::napi_get_value_double(self.0, value, &raw mut number) })?;
        Ok(number)
    }

    pub(super) fn is_true(self, value: napi_value) -> bool {
        let mut truth = false;
        // SAFETY: see the head of this block.
        check(unsafe { sys::napi_get_value_bool(self.0, value, &raw mut truth) }).is_ok() && truth
    }

    /// A string of which each byte is one character.
    pub(super) fn latin1(self, bytes: &[u8]) -> Outcome<napi_value> {
        let mut value = ptr::null_mut();
        let (start, length) = (bytes.as_ptr().cast(), bytes.len().cast_signed());
        // SAFETY: see the head of this block; the bytes live for the call.
        check(unsafe { sys::napi_create_string_latin1(self.0, start, length, &raw mut value) })?;
        Ok(value)
    }

    /// A string of UTF-8; malformed parts become U+FFFD.
    pub(super) fn utf8(self, bytes: &[u8]) -> Outcome<napi_value> {
        let mut value = ptr::null_mut();
        let (start, length) = (bytes.as_ptr().cast(), bytes.len().cast_signed());
        // SAFETY: see the head of this block; the bytes live for the call.
        check(unsafe { sys::napi_create_string_utf8(self.0, start, length, &raw mut value) })?;
        Ok(value)
    }

    /// A `Uint8Array` over a fresh `ArrayBuffer` with a copy of the bytes.
    pub(super) fn bytes(self, bytes: &[u8]) -> Outcome<napi_value> {
        let (mut data, mut buffer, mut array) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let length = bytes.len();
        // SAFETY: see the head of this block; `data` has room for `length` bytes, which are fresh.
        unsafe {
            check(sys::napi_create_arraybuffer(self.0, length, &raw mut data, &raw mut buffer))?;
            if length > 0 {
                ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast::<u8>(), length);
            }
            let kind = sys::TypedarrayType::uint8_array;
            check(sys::napi_create_typedarray(self.0, kind, length, buffer, 0, &raw mut array))?;
        }
        Ok(array)
    }

    /// A `Uint8Array` over these bytes themselves, which are freed when it is collected. Hosts that
    /// keep all memory in a cage of their own get a copy.
    pub(super) fn own_bytes(self, mut bytes: Vec<u8>) -> Outcome<napi_value> {
        let (mut buffer, mut array) = (ptr::null_mut(), ptr::null_mut());
        let (data, length) = (bytes.as_mut_ptr().cast(), bytes.len());
        let owner = Box::into_raw(Box::new(bytes));
        // SAFETY: see the head of this block; the memory is the vector's, which doesn't change and
        // which `drop_bytes` frees, once, when V8 needs it no more.
        let status = unsafe {
            let drop_bytes = Some(drop_bytes as unsafe extern "C" fn(_, _, _));
            sys::napi_create_external_arraybuffer(
                self.0,
                data,
                length,
                drop_bytes,
                owner.cast(),
                &raw mut buffer,
            )
        };
        if status != Status::napi_ok {
            // SAFETY: nobody has taken it.
            let bytes = unsafe { Box::from_raw(owner) };
            return self.bytes(&bytes);
        }
        let kind = sys::TypedarrayType::uint8_array;
        // SAFETY: see the head of this block.
        check(unsafe {
            sys::napi_create_typedarray(self.0, kind, length, buffer, 0, &raw mut array)
        })?;
        Ok(array)
    }

    /// A `Uint32Array` of `words` zeros, and the same words for this side.
    pub(super) fn words(self, words: usize) -> Outcome<(napi_value, Words)> {
        let (mut data, mut buffer, mut array) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: see the head of this block.
        unsafe {
            let size = words * size_of::<u32>();
            check(sys::napi_create_arraybuffer(self.0, size, &raw mut data, &raw mut buffer))?;
            let kind = sys::TypedarrayType::uint32_array;
            check(sys::napi_create_typedarray(self.0, kind, words, buffer, 0, &raw mut array))?;
        }
        let start = NonNull::new(data.cast()).ok_or(Failed)?;
        Ok((array, Words { _keep: Reference::new(self, array)?, start, count: words }))
    }

    /// Length of a string in UTF-8.
    pub(super) fn utf8_length(self, value: napi_value) -> Outcome<usize> {
        let mut length = 0;
        // SAFETY: see the head of this block; without a buffer only the length is told.
        check(unsafe {
            sys::napi_get_value_string_utf8(self.0, value, ptr::null_mut(), 0, &raw mut length)
        })?;
        Ok(length)
    }

    /// Appends a string as UTF-8; `room` is an upper bound of its length. A lone surrogate becomes
    /// U+FFFD.
    pub(super) fn append_utf8(
        self,
        value: napi_value,
        room: usize,
        out: &mut Vec<u8>,
    ) -> Outcome<()> {
        // Node-API writes a NUL behind the text.
        out.reserve(room + 1);
        let spare = out.spare_capacity_mut();
        let (start, size) = (spare.as_mut_ptr().cast(), room + 1);
        let mut written = 0;
        // SAFETY: see the head of this block; `reserve` made `size` bytes of room, of which
        // `written` are initialised then.
        unsafe {
            check(sys::napi_get_value_string_utf8(self.0, value, start, size, &raw mut written))?;
            out.set_len(out.len() + written);
        }
        Ok(())
    }

    /// A string with one byte for each character, as header text is.
    pub(super) fn read_latin1(self, value: napi_value, out: &mut Vec<u8>) -> Outcome<()> {
        let mut length = 0;
        out.clear();
        // SAFETY: see the head of this block; `reserve` makes room for the text and its NUL.
        unsafe {
            check(sys::napi_get_value_string_latin1(
                self.0,
                value,
                ptr::null_mut(),
                0,
                &raw mut length,
            ))?;
            out.reserve(length + 1);
            let start = out.spare_capacity_mut().as_mut_ptr().cast();
            check(sys::napi_get_value_string_latin1(
                self.0,
                value,
                start,
                length + 1,
                &raw mut length,
            ))?;
            out.set_len(length);
        }
        Ok(())
    }

    /// The bytes of a `Uint8Array`.
    ///
    /// # Safety
    /// No JavaScript runs while the slice is used: it could move or change the bytes.
    pub(super) unsafe fn view<'a>(self, value: napi_value) -> Outcome<&'a [u8]> {
        let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut::<c_void>());
        // SAFETY: see the head of this block.
        check(unsafe {
            sys::napi_get_typedarray_info(
                self.0,
                value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        })?;
        if kind != sys::TypedarrayType::uint8_array {
            return Err(Failed);
        }
        if length == 0 {
            return Ok(&[]);
        }
        // SAFETY: V8 says where the bytes lie; the caller keeps JavaScript from running.
        Ok(unsafe { std::slice::from_raw_parts(data.cast(), length) })
    }

    /// A part of a body: the bytes of a `Uint8Array`, or none for `undefined`.
    ///
    /// # Safety
    /// As for [`Js::view`].
    pub(super) unsafe fn part<'a>(self, value: napi_value) -> Outcome<&'a [u8]> {
        let mut kind = sys::ValueType::napi_undefined;
        // SAFETY: see the head of this block.
        check(unsafe { sys::napi_typeof(self.0, value, &raw mut kind) })?;
        if kind == sys::ValueType::napi_undefined {
            return Ok(&[]);
        }
        // SAFETY: the caller's promise.
        unsafe { self.view(value) }
    }

    pub(super) fn call(
        self,
        function: napi_value,
        arguments: &[napi_value],
    ) -> Outcome<napi_value> {
        let mut result = ptr::null_mut();
        let this = self.undefined()?;
        // SAFETY: see the head of this block.
        check(unsafe {
            sys::napi_call_function(
                self.0,
                this,
                function,
                arguments.len(),
                arguments.as_ptr(),
                &raw mut result,
            )
        })?;
        Ok(result)
    }

    /// Takes a pending exception, so that the next call works, and hands it to the process's
    /// `uncaughtException`: nothing that JavaScript throws here was meant for us.
    pub(super) fn report_exception(self) {
        let mut error = ptr::null_mut();
        // SAFETY: see the head of this block; without an exception the value is `undefined`.
        unsafe {
            let mut pending = false;
            sys::napi_is_exception_pending(self.0, &raw mut pending);
            if pending
                && sys::napi_get_and_clear_last_exception(self.0, &raw mut error) == Status::napi_ok
            {
                sys::napi_fatal_exception(self.0, error);
            }
        }
    }

    /// Throws Node's own error for a text that no string can hold.
    pub(super) fn throw_too_long(self, length: usize) {
        let message = format!("a text of {length} bytes is too long for a string\0");
        // SAFETY: see the head of this block; both texts end with NUL.
        unsafe {
            sys::napi_throw_range_error(
                self.0,
                c"ERR_STRING_TOO_LONG".as_ptr(),
                message.as_ptr().cast(),
            );
        }
    }

    pub(super) fn throw(self, code: &str, message: &str) {
        // A message has no NUL; the lengths are given with the strings below.
        let text = |text: &str| self.utf8(text.as_bytes());
        let (Ok(code), Ok(message)) = (text(code), text(message)) else {
            return;
        };
        let mut error = ptr::null_mut();
        // SAFETY: see the head of this block.
        unsafe {
            if sys::napi_create_error(self.0, code, message, &raw mut error) == Status::napi_ok {
                sys::napi_throw(self.0, error);
            }
        }
    }

    /// Runs in a handle scope of its own: the values made there end with it.
    pub(super) fn in_handle_scope<T>(self, run: impl FnOnce() -> T) -> T {
        let mut scope = ptr::null_mut();
        // SAFETY: see the head of this block; scopes are closed in the reverse order.
        let opened = check(unsafe { sys::napi_open_handle_scope(self.0, &raw mut scope) });
        let result = run();
        if opened.is_ok() {
            // SAFETY: as above.
            unsafe { sys::napi_close_handle_scope(self.0, scope) };
        }
        result
    }

    /// Opens a handle scope and a callback scope around `run`: when it is over, the microtasks
    /// and ticks that it left are run, as after any callback of Node's own.
    pub(super) fn in_callback_scope(self, context: sys::napi_async_context, run: impl FnOnce()) {
        let (mut handles, mut callback) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: see the head of this block; the scopes are closed in the reverse order.
        unsafe {
            if sys::napi_open_handle_scope(self.0, &raw mut handles) != Status::napi_ok {
                return;
            }
            // Node ignores the resource here: the context has its own.
            let resource = ptr::null_mut();
            let opened =
                sys::napi_open_callback_scope(self.0, resource, context, &raw mut callback);
            if opened == Status::napi_ok {
                run();
                self.report_exception();
                sys::napi_close_callback_scope(self.0, callback);
                self.report_exception();
            }
            sys::napi_close_handle_scope(self.0, handles);
        }
    }
}

/// Frees what [`Js::own_bytes`] gave away.
unsafe extern "C" fn drop_bytes(_: napi_env, _: *mut c_void, owner: *mut c_void) {
    // SAFETY: the pointer of `own_bytes`; Node-API calls once.
    drop(unsafe { Box::from_raw(owner.cast::<Vec<u8>>()) });
}

/// A strong reference to a JavaScript value.
#[derive(Debug)]
pub(super) struct Reference {
    js: Js,
    reference: napi_ref,
}

impl Reference {
    pub(super) fn new(js: Js, value: napi_value) -> Outcome<Reference> {
        let mut reference = ptr::null_mut();
        // SAFETY: a live environment (`Js::new`), a value of the current scope.
        check(unsafe { sys::napi_create_reference(js.0, value, 1, &raw mut reference) })?;
        Ok(Reference { js, reference })
    }

    /// The value, in the current handle scope.
    pub(super) fn value(&self) -> Outcome<napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: a live environment, a reference that isn't deleted yet.
        check(unsafe { sys::napi_get_reference_value(self.js.0, self.reference, &raw mut value) })?;
        Ok(value)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: the environment outlives its references: they are dropped in its clean-up hook
        // at the latest.
        unsafe { sys::napi_delete_reference(self.js.0, self.reference) };
    }
}

/// Words of memory that both sides read and write.
#[derive(Debug)]
pub(super) struct Words {
    _keep: Reference,
    start: NonNull<u32>,
    count: usize,
}

impl Words {
    pub(super) fn get(&self, index: usize) -> u32 {
        assert!(index < self.count);
        // SAFETY: an `ArrayBuffer` that `_keep` keeps, whose memory V8 never moves; its environment
        // runs on this thread alone.
        unsafe { self.start.add(index).read() }
    }

    pub(super) fn set(&self, index: usize, value: u32) {
        assert!(index < self.count);
        // SAFETY: as in `get`.
        unsafe { self.start.add(index).write(value) }
    }

    /// Writes what `words` says of each item, from `index` on.
    pub(super) fn set_rows<T, const N: usize>(
        &self,
        index: usize,
        items: &[T],
        words: impl Fn(&T) -> [u32; N],
    ) {
        assert!(index + items.len() * N <= self.count);
        for (row, item) in items.iter().enumerate() {
            // SAFETY: as in `get`; the sum above says that each row is inside.
            unsafe { self.start.add(index + row * N).cast::<[u32; N]>().write(words(item)) }
        }
    }
}

/// Header text as a Rust string: each byte is one character.
pub(super) fn of_latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// And back.
pub(super) fn to_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| character as u32 as u8).collect()
}

/// The one failure boundary: every function that JavaScript or libuv calls is wrapped in it. A
/// panic becomes an exception of JavaScript's, a failed call `undefined` with whatever exception
/// is pending.
pub(super) fn boundary(js: Js, run: impl FnOnce() -> Outcome<napi_value>) -> napi_value {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => value,
        Ok(Err(Failed)) => ptr::null_mut(),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            js.throw("ERR_BAREWIRE_PANIC", text.unwrap_or("the native engine panicked"));
            ptr::null_mut()
        }
    }
}
