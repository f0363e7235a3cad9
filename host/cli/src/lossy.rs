//! A log that lies on a disk: lines for which there is no room are lost, and counted.
//!
//! Owns that a full disk isn't the end of a log: what comes when there is room again is written, after a line that says how many are missing.
//! Every other failure is the target's.

use std::io::{self, Write};

use lunarium_engine::is_disk_full;

/// Writes lines to `target`.
pub struct Lossy<W> {
    target: W,
    lost: u64,
    /// A text as a line of the log.
    line: Box<dyn Fn(&str) -> String + Send>,
}

impl<W: Write> Lossy<W> {
    /// `line` makes a line of the log of a text.
    pub fn new(target: W, line: impl Fn(&str) -> String + Send + 'static) -> Self {
        Self { target, lost: 0, line: Box::new(line) }
    }

    /// Says how many lines are missing, if any are.
    fn tell(&mut self) -> io::Result<()> {
        if self.lost > 0 {
            let line = (self.line)(&format!("{} log lines are lost: there was no room on the disk", self.lost));
            // The last line may have been written in part.
            self.target.write_all(format!("\n{line}\n").as_bytes())?;
            self.lost = 0;
        }
        Ok(())
    }
}

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.tell().and_then(|()| self.target.write(bytes)) {
            Err(error) if is_disk_full(&error) => {
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
                self.lost = self.lost.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.target.flush() {
            Err(error) if is_disk_full(&error) => Ok(()),
            flushed => flushed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind, Write};
    use std::sync::{Arc, Mutex};

    use super::Lossy;

    /// Takes so many bytes.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(usize, Vec<u8>)>>);

    impl Disk {
        fn grow(&self, bytes: usize) {
            self.0.lock().unwrap().0 += bytes;
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().1.clone()).unwrap()
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (room, text) = &mut *self.0.lock().unwrap();
            let taken = bytes.len().min(*room);
            if taken == 0 && !bytes.is_empty() {
                return Err(ErrorKind::StorageFull.into());
            }
            *room -= taken;
            text.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_without_room_are_counted_and_the_next_are_written() {
        let disk = Disk::default();
        let mut log = Lossy::new(disk.clone(), |text| format!("WARN {text}"));
        disk.grow(12);
        log.write_all(b"one\ntwo\nthree\n").unwrap();
        log.write_all(b"four\nfive\n").unwrap();
        assert_eq!(disk.text(), "one\ntwo\nthre");
        disk.grow(1_000);
        log.write_all(b"six\n").unwrap();
        let told = "WARN 3 log lines are lost: there was no room on the disk";
        assert_eq!(disk.text(), format!("one\ntwo\nthre\n{told}\nsix\n"));
    }

    #[test]
    fn another_failure_is_an_end() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let gone = Lossy::new(Gone, str::to_owned).write_all(b"line\n").unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::BrokenPipe);
    }
}
