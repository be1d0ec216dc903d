//! Standard output, whoever reads it: a terminal, a full disk, or nobody any more.

use std::io::{ErrorKind, Write};

use super::{Exit, Failure};

/// Writes the text; false when who read has gone (`oms order list | head`). That is no failure: the
/// command ends as if all had been read, and quietly.
pub(crate) fn put(out: &mut impl Write, text: &str) -> Result<bool, Failure> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let why = format!("cannot write to standard output: {error}");
            Err(Failure::new(Exit::Fault, why))
        }
    }
}

/// Prints a text that is all a command has to say.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    put(&mut std::io::stdout().lock(), text).map(drop)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Takes nothing, for this reason.
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure_and_a_full_disk_is_one() {
        assert_eq!(put(&mut Vec::new(), "text"), Ok(true));
        assert_eq!(put(&mut Broken(ErrorKind::BrokenPipe), "text"), Ok(false));
        let failure = put(&mut Broken(ErrorKind::StorageFull), "text").unwrap_err();
        assert_eq!(failure.exit, Exit::Fault);
        assert!(failure.message.starts_with("cannot write to standard output: "), "{failure}");
    }
}
