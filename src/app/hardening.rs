//! Keeps the memory of this process, which holds keys and credentials, out of files and other hands.

use rustix::process::{Resource, Rlimit, setrlimit};

/// From now on a crash leaves no core file. Outside development, other processes of the same user cannot
/// read this one's memory or environment either, which a debugger would want to.
pub(super) fn keep_memory_private(is_dev: bool) {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let mut refused = setrlimit(Resource::Core, none).err();
    if !is_dev {
        refused = refused.or(hide().err());
    }
    if let Some(error) = refused {
        tracing::warn!(%error, "this system does not let the program keep its memory out of core files");
    }
}

/// A limit alone does not stop systems that pipe core dumps to a program.
#[cfg(target_os = "linux")]
fn hide() -> rustix::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

#[cfg(not(target_os = "linux"))]
fn hide() -> rustix::io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn no_core_file_is_written_and_no_neighbour_reads() {
        keep_memory_private(false);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
