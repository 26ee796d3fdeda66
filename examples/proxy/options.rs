//! The command line.

use barewire::net::ListenAddress;

use crate::upstreams;

pub(crate) const HELP: &str = "\
Usage: proxy --listen ADDRESS --upstream ADDRESS [--upstream ADDRESS]... [options]

An ADDRESS is IP:PORT, or a path with a slash: a Unix socket.

  --log FILE               access log; - is standard output, off is none (default: -)
  --trust-forwarded        the client is a proxy of ours: add to its Forwarded fields
  --connect-timeout MS     time to connect to an upstream (default: 3000)
  --answer-timeout MS      time of an upstream from the request to its answer's head, and for each
                           further part of it (default: 30000)
  --idle-timeout MS        time that an unused connection to an upstream is kept (default: 55000)
  --idle COUNT             unused connections that are kept for each upstream (default: 64)
  --help                   this text
";

/// What the command line says. Times are in milliseconds.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: ListenAddress,
    pub(crate) upstreams: Vec<ListenAddress>,
    pub(crate) log: String,
    pub(crate) trusts_forwarded: bool,
    pub(crate) connect_timeout: u64,
    pub(crate) answer_timeout: u64,
    pub(crate) idle_timeout: u64,
    pub(crate) idle: usize,
}

impl Options {
    /// Reads the arguments; `None` asks for the help.
    pub(crate) fn parse(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, String> {
        let mut listen = None;
        let mut options = Options {
            listen: ListenAddress::Tcp(([127, 0, 0, 1], 0).into()),
            upstreams: Vec::new(),
            log: "-".into(),
            trusts_forwarded: false,
            connect_timeout: 3_000,
            answer_timeout: 30_000,
            idle_timeout: 55_000,
            idle: 64,
        };
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
            match name.as_str() {
                "--help" => return Ok(None),
                "--trust-forwarded" => options.trusts_forwarded = true,
                "--listen" => listen = Some(address(&value()?)?),
                "--upstream" => options.upstreams.push(address(&value()?)?),
                "--log" => options.log = value()?,
                "--connect-timeout" => options.connect_timeout = number(&value()?)?,
                "--answer-timeout" => options.answer_timeout = number(&value()?)?,
                "--idle-timeout" => options.idle_timeout = number(&value()?)?,
                "--idle" => options.idle = number(&value()?)? as usize,
                _ => return Err(format!("unknown option {name}")),
            }
        }
        options.listen = listen.ok_or("--listen is missing")?;
        if options.upstreams.is_empty() {
            return Err("--upstream is missing".into());
        }
        if options.upstreams.len() > upstreams::MOST {
            return Err(format!("more than {} upstreams", upstreams::MOST));
        }
        Ok(Some(options))
    }
}

fn address(text: &str) -> Result<ListenAddress, String> {
    if text.contains('/') {
        return Ok(ListenAddress::Unix(text.into()));
    }
    let address = text.parse().map_err(|_| format!("{text} is neither IP:PORT nor a path"))?;
    Ok(ListenAddress::Tcp(address))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}
