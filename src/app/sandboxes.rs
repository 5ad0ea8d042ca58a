//! The simulated systems, started side by side.

use anyhow::Context;

use super::cli::SandboxPorts;
use crate::sandbox::kit::Running;
use crate::sandbox::{infor_m3, procore};

/// The simulators of one seed. They stop when this is dropped.
pub(super) struct Sandboxes {
    pub procore: Running,
    pub infor: Running,
}

/// Whether the simulators keep their vendors' rate windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    AsTheVendors,
    Off,
}

/// Starts them on their ports.
pub(super) fn start(ports: &SandboxPorts, limits: Limits) -> anyhow::Result<Sandboxes> {
    let procore = procore::start(procore::Options {
        port: ports.procore_port,
        seed: ports.seed,
        limits: limits == Limits::AsTheVendors,
    })
    .with_context(|| taken("Procore", ports.procore_port))?;
    let infor = infor_m3::start(infor_m3::Options {
        port: ports.infor_port,
        seed: ports.seed,
    })
    .with_context(|| taken("Infor M3", ports.infor_port))?;
    Ok(Sandboxes { procore, infor })
}

fn taken(system: &str, port: u16) -> String {
    format!("the simulated {system} cannot listen on port {port}")
}

impl Sandboxes {
    /// Name and address of each, one a line.
    pub fn addresses(&self) -> String {
        format!(
            "Procore     {}\nInfor M3    {}\n",
            self.procore.url(),
            self.infor.url()
        )
    }

    /// Ports that calls may go to although they are on this machine.
    pub fn ports(&self) -> Vec<u16> {
        vec![self.procore.port(), self.infor.port()]
    }
}
