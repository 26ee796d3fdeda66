//! The class that `lib/` constructs: options in, errors out, and everything that isn't on a
//! request's path.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use napi::bindgen_prelude::{Function, JsObjectValue, JsValue, This, Unknown};
use napi::{Env, Error, Status};
use napi_derive::napi;

use super::asker::Asker;
use super::bridge::Bridge;
use super::calls;
use super::command::Command;
use super::driver::Driver;
use super::record::{Record, WORDS};
use super::shared::Shared;
use super::values::{Failed, Js, Reference};
use crate::limits;
use crate::server::{Config, HeadLimits, ListenAddress, Server, Stats, Timeouts};

/// The version of the contract between the addon and `lib/`; `binding.js` demands its own.
#[napi]
#[allow(dead_code)] // read by JavaScript
pub const ABI_VERSION: u32 = 2;

/// The options of a server, checked by `lib/options.js`; 0 is off.
#[napi(object, object_to_js = false)]
pub struct NativeConfig {
    pub max_connections: f64,
    pub max_body_size: f64,
    pub max_header_size: f64,
    pub max_fields: f64,
    pub max_request_line: f64,
    pub max_pending: f64,
    pub max_buffered_bytes: f64,
    pub timeout: f64,
    pub headers_timeout: f64,
    pub idle_timeout: f64,
    pub body_timeout: f64,
    pub send_timeout: f64,
}

/// The numbers of a server.
#[napi(object, object_from_js = false)]
pub struct NativeStats {
    pub active_connections: f64,
    pub total_requests: f64,
    pub requests_per_second: f64,
    pub avg_latency_ms: f64,
    pub p50_latency_ms: f64,
    pub p99_latency_ms: f64,
    pub pending_requests: f64,
    pub bytes_received: f64,
    pub bytes_sent: f64,
    pub buffered_bytes: f64,
    pub rejected: HashMap<String, f64>,
    pub closed: HashMap<String, f64>,
}

/// An error with one of the system's codes, or `ERR_BAREWIRE_…`.
type Coded<T> = Result<T, Error<&'static str>>;

/// One server.
#[napi]
pub struct Engine {
    shared: Rc<Shared>,
}

#[napi]
impl Engine {
    /// Makes a server that doesn't listen yet.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        this: This<'_>,
        config: NativeConfig,
        dispatch: Function<'_, Unknown<'_>, Unknown<'_>>,
        notify: Function<'_, Unknown<'_>, Unknown<'_>>,
        closed: Function<'_, Unknown<'_>, Unknown<'_>>,
        limit: Option<Function<'_, Unknown<'_>, Unknown<'_>>>,
    ) -> napi::Result<Self> {
        // SAFETY: napi calls with a live environment on its thread; what keeps it is dropped by
        // the environment's clean-up hook or by finalizers, which come before its end.
        let js = unsafe { Js::new(env.raw()) };
        let (array, words) = js.words(WORDS).map_err(failed)?;
        let record = Record::new(words);
        let keep = |value| Reference::new(js, value).map_err(failed);
        let bridge = Rc::new(Bridge::new(js, record));
        let limit = limit.map(|limit| keep(limit.raw())).transpose()?;
        let asker = Asker::new(bridge.clone(), keep(dispatch.raw())?, keep(notify.raw())?, limit);
        let server = Server::new(config.into(), asker)
            .map_err(|error| Error::new(Status::GenericFailure, error.to_string()))?;
        let shared = Rc::new(Shared {
            server: RefCell::new(Some(server)),
            bridge,
            driver: Driver::new(js),
            last: RefCell::default(),
            closed: RefCell::new(Some(keep(closed.raw())?)),
            wants_ref: Cell::new(true),
        });
        let object = this.object.raw();
        calls::install(js, object, &shared, &calls::FUNCTIONS).map_err(failed)?;
        let mut this = this.object;
        // SAFETY: a value of this environment and scope.
        let array = unsafe { Unknown::from_raw_unchecked(env.raw(), array) };
        this.set_named_property("record", array)?;
        Ok(Engine { shared })
    }

    /// Binds an IP literal at once and says the port that it got.
    #[napi]
    pub fn listen(
        &self,
        address: String,
        port: u16,
        reuse_port: bool,
        backlog: u32,
    ) -> Result<u16, Error<&'static str>> {
        let ip: IpAddr = address.parse().map_err(|_| coded("EINVAL", "not an IP address"))?;
        let address = ListenAddress::Tcp(SocketAddr::new(ip, port));
        let bound = self.bind(&address, reuse_port, backlog)?;
        Ok(bound.port().unwrap_or(0))
    }

    /// Binds a unix socket.
    #[napi]
    pub fn listen_unix(&self, path: String, backlog: u32) -> Result<(), Error<&'static str>> {
        self.bind(&ListenAddress::Unix(path.into()), false, backlog)?;
        Ok(())
    }

    /// Closes: owed answers are given, idle connections end, after `timeout` milliseconds the rest
    /// is cut (0 waits for ever). `closed` is called once when it is done.
    #[napi]
    pub fn close(&self, timeout: f64) {
        let timeout = timeout as u64;
        if !self.shared.driver.is_running() {
            // It never listened: nothing is under way and nothing will call in.
            if let Ok(mut server) = self.shared.server.try_borrow_mut() {
                drop(server.take());
            }
            drop(self.shared.closed.borrow_mut().take());
            return;
        }
        self.shared.apply(|server| server.close_soon(timeout), || Command::Close { timeout });
    }

    /// The numbers, as they are now; the last ones once the server is closed.
    #[napi]
    pub fn stats(&self) -> NativeStats {
        let stats = match self.shared.server.try_borrow_mut() {
            Ok(mut server) => server.as_mut().map(Server::stats),
            Err(_) => self.shared.bridge.stats(),
        };
        stats.unwrap_or_else(|| self.shared.last.borrow().clone()).into()
    }

    /// The server keeps the process alive (the default).
    #[napi(js_name = "ref")]
    pub fn keep_alive(&self) {
        self.shared.wants_ref.set(true);
        self.shared.driver.set_ref(true);
    }

    /// The server doesn't keep the process alive.
    #[napi]
    pub fn unref(&self) {
        self.shared.wants_ref.set(false);
        self.shared.driver.set_ref(false);
    }

    fn bind(
        &self,
        address: &ListenAddress,
        reuse_port: bool,
        backlog: u32,
    ) -> Coded<ListenAddress> {
        let state =
            || coded("ERR_BAREWIRE_STATE", "the server is closed or in the middle of a turn");
        let mut server = self.shared.server.try_borrow_mut().map_err(|_| state())?;
        let server = server.as_mut().ok_or_else(state)?;
        let bound =
            server.listen_with(address, reuse_port, backlog).map_err(|error| of_io(&error))?;
        Driver::start(&self.shared, server.fd())
            .map_err(|_| coded("ERR_BAREWIRE_HOST", "the event loop can't be watched"))?;
        self.shared.driver.arm(server);
        Ok(bound)
    }
}

fn failed(_: Failed) -> Error {
    Error::new(Status::GenericFailure, "Node-API refused a call".to_owned())
}

/// An error with one of the codes of `lib/errors.js`, or the system's.
pub(super) fn coded(code: &'static str, message: &str) -> Error<&'static str> {
    Error::new(code, message.to_owned())
}

/// Its kind isn't stable yet.
const ELOOP: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };

/// The name of a system error, as Node says it; `lib/` completes the shape.
pub(super) fn of_io(error: &io::Error) -> Error<&'static str> {
    let code = match error.kind() {
        io::ErrorKind::AddrInUse => "EADDRINUSE",
        io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        io::ErrorKind::PermissionDenied => "EACCES",
        io::ErrorKind::NotFound => "ENOENT",
        io::ErrorKind::NotADirectory => "ENOTDIR",
        io::ErrorKind::IsADirectory => "EISDIR",
        io::ErrorKind::ReadOnlyFilesystem => "EROFS",
        io::ErrorKind::InvalidFilename => "ENAMETOOLONG",
        _ => match error.raw_os_error() {
            // Numbers without a stable kind.
            Some(24) => "EMFILE",
            Some(23) => "ENFILE",
            Some(97 | 47) => "EAFNOSUPPORT",
            Some(ELOOP) => "ELOOP",
            Some(5) => "EIO",
            Some(6) => "ENXIO",
            _ => "EINVAL",
        },
    };
    Error::new(code, error.to_string())
}

impl From<NativeConfig> for Config {
    fn from(options: NativeConfig) -> Self {
        Config {
            head: HeadLimits {
                request_line: options.max_request_line as usize,
                size: options.max_header_size as usize,
                fields: options.max_fields as usize,
            },
            timeouts: Timeouts {
                headers: options.headers_timeout as u64,
                idle: options.idle_timeout as u64,
                body: options.body_timeout as u64,
                send: options.send_timeout as u64,
                handler: options.timeout as u64,
            },
            max_connections: options.max_connections as usize,
            max_body_size: options.max_body_size as u64,
            max_pending: options.max_pending as usize,
            stream_above: Some(limits::STREAM_ABOVE),
            max_buffered_bytes: options.max_buffered_bytes as u64,
        }
    }
}

impl From<Stats> for NativeStats {
    fn from(stats: Stats) -> Self {
        NativeStats {
            active_connections: stats.active_connections as f64,
            total_requests: stats.total_requests as f64,
            requests_per_second: stats.requests_per_second,
            avg_latency_ms: stats.avg_latency_ms,
            p50_latency_ms: stats.p50_latency_ms,
            p99_latency_ms: stats.p99_latency_ms,
            pending_requests: stats.pending_requests as f64,
            bytes_received: stats.bytes_received as f64,
            bytes_sent: stats.bytes_sent as f64,
            buffered_bytes: stats.buffered_bytes as f64,
            rejected: stats
                .rejected
                .into_iter()
                .map(|(status, count)| (status.to_string(), count as f64))
                .collect(),
            closed: stats
                .closed
                .into_iter()
                .map(|(reason, count)| (reason.to_owned(), count as f64))
                .collect(),
        }
    }
}
