//! The Content-Type of a file, by the end of its name.

use mime_guess2::MimeGuess;

/// The media type of a file of this name, with its charset where the type is text: files are UTF-8.
/// Where the name's end is unknown, it says so: without a type a client would look into the content
/// and might find a page in what somebody has uploaded.
pub fn media_type(name: &[u8]) -> &'static str {
    let Some(guess) = guess(name) else {
        return "application/octet-stream";
    };
    WITH_CHARSET.iter().find(|(plain, _)| *plain == guess).map_or(guess, |(_, full)| full)
}

fn guess(name: &[u8]) -> Option<&'static str> {
    let name = name.rsplit(|&byte| byte == b'/').next()?;
    let dot = memchr::memrchr(b'.', name)?;
    let extension = std::str::from_utf8(name.get(dot + 1..)?).ok()?;
    MimeGuess::from_ext(extension).first_raw()
}

/// The texts that servers are asked for, as constants: nothing is put together for a request.
const WITH_CHARSET: [(&str, &str); 12] = [
    ("text/html", "text/html; charset=utf-8"),
    ("text/css", "text/css; charset=utf-8"),
    ("text/javascript", "text/javascript; charset=utf-8"),
    ("application/javascript", "text/javascript; charset=utf-8"),
    ("text/plain", "text/plain; charset=utf-8"),
    ("text/csv", "text/csv; charset=utf-8"),
    ("text/markdown", "text/markdown; charset=utf-8"),
    ("text/xml", "text/xml; charset=utf-8"),
    ("text/calendar", "text/calendar; charset=utf-8"),
    ("text/cache-manifest", "text/cache-manifest; charset=utf-8"),
    ("text/vtt", "text/vtt; charset=utf-8"),
    ("text/event-stream", "text/event-stream; charset=utf-8"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: &str = "application/octet-stream";

    #[test]
    fn the_end_of_the_name_decides_whatever_its_case() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b.c/INDEX.HTM", "text/html; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("data.json", "application/json"),
            ("module.wasm", "application/wasm"),
            ("logo.svg", "image/svg+xml"),
            ("photo.jpeg", "image/jpeg"),
            ("photo.webp", "image/webp"),
            ("photo.avif", "image/avif"),
            ("font.woff2", "font/woff2"),
            ("film.mp4", "video/mp4"),
            ("site.webmanifest", "application/manifest+json"),
            ("feed.xml", "text/xml; charset=utf-8"),
            ("notes.txt", "text/plain; charset=utf-8"),
            ("archive.tar.gz", "application/gzip"),
            ("noend", UNKNOWN),
            ("dir.txt/noend", UNKNOWN),
            ("ends.", UNKNOWN),
            ("unknown.zzzz", UNKNOWN),
        ] {
            assert_eq!(media_type(name.as_bytes()), expected, "{name}");
        }
        assert_eq!(media_type(b"bytes.\xff"), UNKNOWN);
    }
}
