//! Inputs without a terminal: the lines of standard input. No prompt is shown, and nothing is echoed.
//!
//! Owns how lines become inputs: one that isn't complete goes on on the next. Evaluates nothing.

use std::io::{self, BufRead, Read as _};
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedSender;

use super::input::{MOST_INPUT, Said, is_whole};

/// Reads lines while somebody asks for inputs.
pub struct Lines<R> {
    input: R,
    say: UnboundedSender<Said>,
    /// Lines that were read.
    count: u64,
}

/// A line without its end.
enum Line {
    Text(String),
    Unreadable,
    End,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R, say: UnboundedSender<Said>) -> Self {
        Self { input, say, count: 0 }
    }

    /// Says one input each time that it is asked.
    pub fn run(mut self, asked: &Receiver<()>) {
        for () in asked {
            let said = self.next().unwrap_or_else(|error| Said::Broken(error.to_string()));
            if self.say.send(said).is_err() {
                return;
            }
        }
    }

    fn next(&mut self) -> io::Result<Said> {
        let mut text = String::new();
        loop {
            let line = match self.line()? {
                Line::Text(line) => line,
                Line::Unreadable => return Ok(Said::Wrong(format!("line {} of the input is not UTF-8", self.count))),
                Line::End if text.is_empty() => return Ok(Said::End),
                // What is missing is told where it is evaluated.
                Line::End => return Ok(Said::Input(text)),
            };
            if text.is_empty() && line.trim().is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
            if text.len() > MOST_INPUT {
                let why = format!("the input up to line {} has more than {MOST_INPUT} bytes, the limit", self.count);
                return Ok(Said::Broken(why));
            }
            if is_whole(&self.say, &text) {
                return Ok(Said::Input(text));
            }
        }
    }

    fn line(&mut self) -> io::Result<Line> {
        let mut line = Vec::new();
        // An endless line isn't read for ever.
        let most = u64::try_from(MOST_INPUT).unwrap_or(u64::MAX).saturating_add(2);
        let read = (&mut self.input).take(most).read_until(b'\n', &mut line);
        let read =
            read.map_err(|error| io::Error::new(error.kind(), format!("standard input can't be read: {error}")))?;
        if read == 0 {
            return Ok(Line::End);
        }
        self.count = self.count.saturating_add(1);
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok(String::from_utf8(line).map_or(Line::Unreadable, Line::Text))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use tokio::sync::mpsc::unbounded_channel;

    use super::{Lines, MOST_INPUT, Said};

    /// What is said of these bytes, when a text is complete without an open parenthesis.
    fn said(bytes: &[u8]) -> Vec<String> {
        let (say, mut told) = unbounded_channel();
        let (ask, asked) = channel();
        let bytes = bytes.to_vec();
        let reader = thread::spawn(move || Lines::new(bytes.as_slice(), say).run(&asked));
        let mut all = Vec::new();
        ask.send(()).unwrap();
        loop {
            let said = match told.blocking_recv().unwrap() {
                Said::Check(text, reply) => {
                    reply.send(text.matches('(').count() <= text.matches(')').count()).unwrap();
                    continue;
                }
                Said::Input(text) => text,
                Said::Wrong(why) => format!("wrong: {why}"),
                Said::End => break,
                Said::Broken(why) => {
                    all.push(format!("broken: {why}"));
                    break;
                }
                Said::Names(..) => panic!("lines ask for no names"),
            };
            all.push(said);
            ask.send(()).unwrap();
        }
        drop(ask);
        reader.join().unwrap();
        all
    }

    #[test]
    fn what_is_not_complete_goes_on() {
        assert_eq!(said(b"one\n\n  \n(two\n\nthree)\nfour(\nfive"), ["one", "(two\n\nthree)", "four(\nfive"]);
        assert_eq!(said(b"\xff\nx\r\n"), ["wrong: line 1 of the input is not UTF-8", "x\r"]);
    }

    #[test]
    fn nothing_is_read_without_end() {
        let limit = format!("has more than {MOST_INPUT} bytes, the limit");
        assert_eq!(said(&vec![b'x'; 10 * MOST_INPUT]), [format!("broken: the input up to line 1 {limit}")]);
        let many = "(\n".repeat(MOST_INPUT);
        let told = said(many.get(..4 * 1024).unwrap().as_bytes());
        assert_eq!(told.len(), 1);
        assert_eq!(
            said(&[&b"("[..], &vec![b'y'; MOST_INPUT - 1], b"\nz"].concat()),
            [format!("broken: the input up to line 2 {limit}")]
        );
    }
}
