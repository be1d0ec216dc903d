//! The folder of the databases, which one running system has to itself: two with a broker each
//! would share databases and not their events.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use oms_service::StartError;

/// In every folder that was ever used; what counts is whether somebody holds it.
const LOCK: &str = ".lock";

/// The folder, held until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Folder {
    _held: File,
}

impl Folder {
    /// Makes the folder where it is missing, and holds it.
    ///
    /// # Errors
    /// When another system has it, or it cannot be written.
    pub(crate) fn hold(path: &Path) -> Result<Self, StartError> {
        let cannot = |error: std::io::Error| StartError::Folder {
            folder: path.display().to_string(),
            reason: error.to_string(),
        };
        fs::create_dir_all(path).map_err(cannot)?;
        let file = File::create(path.join(LOCK)).map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _held: file }),
            Err(TryLockError::Error(error)) => Err(cannot(error)),
            Err(TryLockError::WouldBlock) => Err(StartError::Folder {
                folder: path.display().to_string(),
                reason: "another `oms run` has it; stop it or name another folder".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_until_it_is_let_go() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("data");
        let held = Folder::hold(&path).unwrap();
        let refused = Folder::hold(&path).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().contains("another `oms run` has it"), "{refused}");
        drop(held);
        Folder::hold(&path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_is_told_by_its_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = Folder::hold(&file.path().join("data")).unwrap_err();
        assert!(refused.to_string().starts_with("--data "), "{refused}");
    }
}
