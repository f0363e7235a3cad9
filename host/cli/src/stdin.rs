//! The module `stdin`: standard input, for processes that are granted it.
//!
//! Owns the one thread that reads, which starts with the first wish, and that nothing which was read gets lost: a piece for
//! a process that has ended goes to the next that asks. Lines are made in Lua (`stdin.lua`), from pieces as they come.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lunarium_engine::{ErrorKind, FunctionError, Module, Value};
use tokio::sync::oneshot;

/// The module's name.
pub const NAME: &str = "stdin";

/// What `require` finds: it takes the pieces from the module of the same name.
pub const FACE: &str = include_str!("stdin.lua");

/// Bytes of a piece at most: what a pipe holds.
const PIECE: usize = 64 * 1024;

/// Who waits for a piece. Nothing in it: the input has ended.
type Wish = oneshot::Sender<io::Result<Vec<u8>>>;

/// The input, and who asks for it.
#[derive(Clone, Default)]
struct Input {
    wishes: Arc<Mutex<Option<Sender<Wish>>>>,
}

/// The module, which reads the command's standard input.
pub fn module() -> Module {
    let input = Input::default();
    Module::new(NAME).function("piece", move |_caller, ()| {
        let asked = input.ask(io::stdin);
        async move {
            let piece = asked.map_err(|error| unread(&error))?.await;
            let piece = piece.unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into()));
            let piece = piece.map_err(|error| unread(&error))?;
            Ok::<_, FunctionError>((!piece.is_empty()).then_some(Value::String(piece)))
        }
    })
}

fn unread(error: &io::Error) -> FunctionError {
    FunctionError::new(ErrorKind::Unavailable, format!("standard input can't be read: {error}"))
}

impl Input {
    /// Asks for the next piece.
    ///
    /// Errors: no thread can be started.
    fn ask<R: Read>(
        &self,
        open: impl FnOnce() -> R + Send + 'static,
    ) -> io::Result<oneshot::Receiver<io::Result<Vec<u8>>>> {
        let (wish, piece) = oneshot::channel();
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match &*wishes {
            Some(sender) => sender,
            None => {
                let (sender, asked) = channel();
                // It ends with the program: nothing can wake a thread that waits for a terminal.
                thread::Builder::new().name("stdin".to_owned()).spawn(move || serve(&mut open(), &asked))?;
                wishes.insert(sender)
            }
        };
        // A thread that has ended leaves the wish without an answer, which says so.
        let _ = sender.send(wish);
        Ok(piece)
    }
}

/// Reads while somebody asks.
fn serve(input: &mut impl Read, asked: &Receiver<Wish>) {
    let (mut kept, mut ended) = (None, false);
    for wish in asked {
        if wish.is_closed() {
            continue;
        }
        let piece = match kept.take() {
            Some(piece) => Ok(piece),
            // A terminal could go on after its end.
            None if ended => Ok(Vec::new()),
            None => next(input),
        };
        ended |= piece.as_ref().is_ok_and(Vec::is_empty);
        if let Err(Ok(piece)) = wish.send(piece) {
            kept = Some(piece).filter(|piece| !piece.is_empty());
        }
    }
}

fn next(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; PIECE];
    loop {
        match input.read(&mut piece) {
            Ok(bytes) => {
                piece.truncate(bytes);
                return Ok(piece);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::io::{self, Read};
    use std::sync::mpsc::channel;

    use tokio::sync::oneshot;

    use super::serve;

    /// Gives one piece after the other, then its end, then more, as a terminal does.
    struct Pieces(Vec<io::Result<&'static [u8]>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let piece = self.0.remove(0)?;
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn a_piece_for_nobody_goes_to_the_next_and_the_end_stays_the_end() {
        let interrupted = Err(io::ErrorKind::Interrupted.into());
        let mut input = Pieces(vec![interrupted, Ok(b"one"), Ok(b"two"), Ok(b""), Ok(b"after")]);
        let (wishes, asked) = channel();
        let mut pieces = Vec::new();
        for _ in 0..5 {
            let (wish, piece) = oneshot::channel();
            wishes.send(wish).unwrap();
            pieces.push(piece);
        }
        // Who asked second has ended.
        drop(pieces.remove(1));
        drop(wishes);
        serve(&mut input, &asked);
        let pieces: Vec<Vec<u8>> = pieces.into_iter().map(|piece| piece.blocking_recv().unwrap().unwrap()).collect();
        assert_eq!(pieces, [b"one".as_slice(), b"two", b"", b""]);
    }
}
