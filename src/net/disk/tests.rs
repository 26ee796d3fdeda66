//! Both roads, by the system call and by walking, over the same tables; and files that move meanwhile.

use super::*;
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A folder with `inside/`, which is served, and `outside/`, which never is. Removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("barewire-disk-{}-{count}", std::process::id());
        let root = std::env::temp_dir().join(name);
        for folder in ["inside/folder/deep", "outside"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (file, text) in [
            ("inside/a.txt", "inside"),
            ("inside/folder/b.txt", "inside"),
            ("inside/folder/deep/c.txt", "inside"),
            ("outside/a.txt", "outside"),
            ("outside/b.txt", "outside"),
        ] {
            fs::write(root.join(file), text).unwrap();
        }
        Self(root)
    }

    fn inside(&self) -> PathBuf {
        self.0.join("inside")
    }

    /// The same directory by each road that this system has.
    fn roads(&self) -> Vec<Directory> {
        let directory = Directory::open(&self.inside()).unwrap();
        let walking = Directory { can_resolve: false, ..Directory::open(&self.inside()).unwrap() };
        if directory.can_resolve { vec![directory, walking] } else { vec![walking] }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What was found as text: a file's content, `directory`, or the kind of the error.
fn found(entry: io::Result<Entry>) -> String {
    match entry {
        Ok(Entry::Directory) => "directory".into(),
        Ok(Entry::File(mut open)) => {
            let mut text = String::new();
            open.file.read_to_string(&mut text).unwrap();
            text
        }
        Err(error) => format!("{:?}", error.kind()),
    }
}

const ALL: [Symlinks; 3] = [Symlinks::Inside, Symlinks::Never, Symlinks::Anywhere];

#[test]
fn files_and_directories_are_found_on_every_road() {
    let folder = Folder::new();
    let long = "n".repeat(255);
    for name in ["name with spaces", "caf\u{e9}", "..a", "a..", "...", ".hidden", "a\\b", &long] {
        fs::write(folder.inside().join(name), name).unwrap();
    }
    for directory in folder.roads() {
        for (path, wanted) in [
            ("", "directory"),
            ("a.txt", "inside"),
            ("folder", "directory"),
            ("folder/b.txt", "inside"),
            ("folder/deep/c.txt", "inside"),
            ("name with spaces", "name with spaces"),
            ("caf\u{e9}", "caf\u{e9}"),
            ("..a", "..a"),
            ("a..", "a.."),
            ("...", "..."),
            (".hidden", ".hidden"),
            ("a\\b", "a\\b"),
            (&long, &long),
            ("missing", "NotFound"),
            ("missing/a.txt", "NotFound"),
            ("a.txt/b", "NotFound"),
            ("a.txt/b/c", "NotFound"),
            ("%61.txt", "NotFound"),
            ("folder\\b.txt", "NotFound"),
            (&"n".repeat(256), "NotFound"),
            (&"n".repeat(70_000), "NotFound"),
            (&vec!["folder"; 3000].join("/"), "NotFound"),
        ] {
            for symlinks in ALL {
                let entry = directory.entry(path.as_bytes(), symlinks);
                assert_eq!(found(entry), wanted, "{path} {symlinks:?} {directory:?}");
            }
        }
    }
}

#[test]
fn a_path_that_does_not_say_what_it_means_is_refused() {
    let folder = Folder::new();
    for directory in folder.roads() {
        for path in [
            "/",
            "/a.txt",
            "//a.txt",
            "/etc/passwd",
            ".",
            "./a.txt",
            "folder/.",
            "folder/./b.txt",
            "..",
            "../outside/a.txt",
            "folder/..",
            "folder/../a.txt",
            "folder/../../outside/a.txt",
            "folder/",
            "a.txt/",
            "folder//b.txt",
            "\0",
            "a.txt\0",
            "a.txt\0.png",
            "folder/\0/b.txt",
        ] {
            for symlinks in ALL {
                let entry = directory.entry(path.as_bytes(), symlinks);
                assert_eq!(found(entry), "InvalidInput", "{path:?}");
            }
        }
    }
}

// APFS takes only UTF-8.
#[cfg(target_os = "linux")]
#[test]
fn names_are_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::new();
    fs::write(folder.inside().join(OsStr::from_bytes(b"caf\xe9\xff")), "latin1").unwrap();
    for directory in folder.roads() {
        assert_eq!(found(directory.entry(b"caf\xe9\xff", Symlinks::Inside)), "latin1");
    }
}

#[test]
fn links_are_followed_as_told() {
    let folder = Folder::new();
    let inside = folder.inside();
    for (target, link) in [
        ("a.txt", "to-file"),
        ("folder", "to-folder"),
        ("../a.txt", "folder/up"),
        ("to-file", "to-link"),
        ("to-itself", "to-itself"),
        ("nowhere", "dangling"),
        ("../outside/a.txt", "out-file"),
        ("../outside", "out-folder"),
        ("folder/../../outside/a.txt", "out-winding"),
        ("../inside/a.txt", "out-and-in"),
    ] {
        symlink(target, inside.join(link)).unwrap();
    }
    symlink(inside.join("a.txt"), inside.join("absolute-in")).unwrap();
    symlink(folder.0.join("outside/a.txt"), inside.join("absolute-out")).unwrap();
    symlink("/", inside.join("to-root")).unwrap();
    let down = folder.0.join("outside/a.txt");
    let by_root = format!("to-root/{}", down.strip_prefix("/").unwrap().display());

    for directory in folder.roads() {
        for (path, if_resolved, if_anywhere) in [
            ("to-file", "inside", "inside"),
            ("to-folder", "directory", "directory"),
            ("to-folder/b.txt", "inside", "inside"),
            ("folder/up", "inside", "inside"),
            ("to-link", "inside", "inside"),
            ("to-itself", "NotFound", "NotFound"),
            ("dangling", "NotFound", "NotFound"),
            ("out-file", "NotFound", "outside"),
            ("out-folder", "NotFound", "directory"),
            ("out-folder/a.txt", "NotFound", "outside"),
            ("out-winding", "NotFound", "outside"),
            ("out-and-in", "NotFound", "inside"),
            ("absolute-in", "NotFound", "inside"),
            ("absolute-out", "NotFound", "outside"),
            (&by_root, "NotFound", "outside"),
        ] {
            let name = format!("{path} {directory:?}");
            let if_inside = if directory.can_resolve { if_resolved } else { "NotFound" };
            let entry = |symlinks| found(directory.entry(path.as_bytes(), symlinks));
            assert_eq!(entry(Symlinks::Inside), if_inside, "{name}");
            assert_eq!(entry(Symlinks::Never), "NotFound", "{name}");
            assert_eq!(entry(Symlinks::Anywhere), if_anywhere, "{name}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn magic_links_are_not_followed_inside() {
    // /proc/self is a plain link, its cwd a magic one, which has no path to be judged by.
    let proc = Directory::open(Path::new("/proc")).unwrap();
    assert_eq!(found(proc.entry(b"self/cwd", Symlinks::Inside)), "NotFound");
    assert_eq!(found(proc.entry(b"self/root/etc/passwd", Symlinks::Inside)), "NotFound");
    assert_eq!(found(proc.entry(b"self/cwd", Symlinks::Anywhere)), "directory");
}

#[test]
fn only_files_are_opened_and_nothing_blocks() {
    let folder = Folder::new();
    let fifo = folder.inside().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Kept open, or it would be an error of another kind.
    let _socket = UnixListener::bind(folder.inside().join("socket")).unwrap();
    for directory in folder.roads() {
        for path in ["fifo", "socket", "fifo/x"] {
            for symlinks in ALL {
                let entry = directory.entry(path.as_bytes(), symlinks);
                assert_eq!(found(entry), "NotFound", "{path}");
            }
        }
    }
    let devices = Directory::open(Path::new("/dev")).unwrap();
    for symlinks in ALL {
        for name in [b"null".as_slice(), b"zero", b"tty"] {
            assert_eq!(found(devices.entry(name, symlinks)), "NotFound");
        }
    }
    assert_eq!(found(open(&fifo)), "NotFound");
    assert_eq!(found(open(Path::new("/dev/null"))), "NotFound");
}

#[test]
fn a_path_of_ours_may_be_anything_that_names_a_file() {
    let folder = Folder::new();
    symlink("../outside/a.txt", folder.inside().join("link")).unwrap();
    assert_eq!(found(open(&folder.inside().join("../inside/link"))), "outside");
    assert_eq!(found(open(&folder.inside())), "directory");
    assert_eq!(found(open(&folder.inside().join("missing"))), "NotFound");
    assert!(Directory::open(&folder.inside().join("a.txt")).is_err());
    assert!(Directory::open(&folder.inside().join("missing")).is_err());
}

#[test]
fn an_open_file_has_its_length_and_time_and_closes_on_exec() {
    let folder = Folder::new();
    let times = [
        (SystemTime::UNIX_EPOCH + Duration::new(784_111_777, 250_000_000), 784_111_777.25),
        (SystemTime::UNIX_EPOCH, 0.0),
        (SystemTime::UNIX_EPOCH - Duration::from_secs(1000), 0.0),
    ];
    for directory in folder.roads() {
        for (time, wanted) in times {
            let file = File::options().write(true).open(folder.inside().join("a.txt"));
            file.unwrap().set_modified(time).unwrap();
            let Entry::File(open) = directory.entry(b"a.txt", Symlinks::Inside).unwrap() else {
                panic!("a file");
            };
            assert_eq!(open.length, 6);
            assert!((open.modified.as_secs_f64() - wanted).abs() < 0.001, "{open:?}");
            for descriptor in [open.file.as_fd(), directory.descriptor.as_fd()] {
                let flags = rustix::io::fcntl_getfd(descriptor).unwrap();
                assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
            }
        }
    }
}

#[test]
fn a_directory_is_held_by_its_descriptor() {
    let folder = Folder::new();
    let roads = folder.roads();
    fs::rename(folder.inside(), folder.0.join("moved")).unwrap();
    symlink("outside", folder.inside()).unwrap();
    for directory in roads {
        assert_eq!(found(directory.entry(b"a.txt", Symlinks::Inside)), "inside");
    }
}

/// Opens a path again and again while another thread exchanges what is at `inside/<name>` with
/// a link out.
fn race(name: &str, path: &str, target: &str) {
    let folder = Folder::new();
    let (place, spare) = (folder.inside().join(name), folder.0.join("spare"));
    let link = folder.0.join("link");
    symlink(target, &link).unwrap();
    let roads = folder.roads();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for (from, to) in
                    [(&place, &spare), (&link, &place), (&place, &link), (&spare, &place)]
                {
                    fs::rename(from, to).unwrap();
                }
            }
        });
        for directory in &roads {
            for symlinks in [Symlinks::Inside, Symlinks::Never] {
                let (mut opened, mut refused) = (0, 0);
                // Both must happen often, or nothing was raced; a machine that lets one thread
                // stand still for so many opens fails.
                while opened + refused < 10_000 || opened.min(refused) < 100 {
                    match found(directory.entry(path.as_bytes(), symlinks)).as_str() {
                        "inside" => opened += 1,
                        "NotFound" => refused += 1,
                        other => {
                            is_over.store(true, Ordering::Relaxed);
                            panic!("{other} by {symlinks:?} {directory:?}");
                        }
                    }
                    if opened + refused > 10_000_000 {
                        is_over.store(true, Ordering::Relaxed);
                        panic!("opened {opened}, refused {refused}");
                    }
                }
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_directory_that_becomes_a_link_while_it_is_passed_leads_nowhere() {
    race("folder", "folder/b.txt", "../outside");
}

#[test]
fn a_file_that_becomes_a_link_while_it_is_opened_leads_nowhere() {
    race("a.txt", "a.txt", "../outside/a.txt");
}

#[test]
fn reading_from_memory_gives_what_is_in_the_file_or_nothing() {
    let folder = Folder::new();
    let path = folder.inside().join("large");
    let content: Vec<u8> = (0..200_000u32).map(|at| (at % 251) as u8).collect();
    fs::write(&path, &content).unwrap();
    let file = File::open(&path).unwrap();
    file.sync_all().unwrap();
    for is_dropped in [false, true] {
        #[cfg(target_os = "linux")]
        if is_dropped {
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        }
        for (offset, size) in [(0, 10), (0, 65_536), (199_990, 100), (100_000, 200_000)] {
            let mut buffer = vec![0; size];
            let Cached::Read(count) = read_cached(&file, &mut buffer, offset).unwrap() else {
                continue;
            };
            let wanted = &content[offset as usize..][..count];
            assert!(count > 0 && buffer[..count] == *wanted, "{is_dropped} {offset} {size}");
        }
    }
    for offset in [200_000, 300_000] {
        assert!(!matches!(read_cached(&file, &mut [0; 10], offset).unwrap(), Cached::Read(_)));
    }
}
