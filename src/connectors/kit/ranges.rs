//! Which IP addresses belong to the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far a call may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anybody's.
    Public,
    /// A private, reserved or loopback address: only where the operator lifted the rule.
    Private,
    /// Link-local or a cloud's metadata service: never, because credentials lie there.
    Never,
}

/// A block of IPv4 addresses: its first address and the bits that count.
type Block4 = (Ipv4Addr, u32);

/// A block of IPv6 addresses.
type Block6 = (Ipv6Addr, u32);

/// Where clouds keep the credentials of a machine.
const NEVER_4: &[Block4] = &[
    (Ipv4Addr::new(169, 254, 0, 0), 16), // link-local, and most metadata services
    (Ipv4Addr::new(100, 100, 100, 200), 32), // Alibaba's metadata service
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's wire server
    (Ipv4Addr::new(192, 0, 0, 192), 32), // Oracle's metadata service
];

const NEVER_6: &[Block6] = &[
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10), // link-local
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128), // Amazon's metadata service
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128), // Google's metadata service
    (Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128), // Scaleway's metadata service
];

/// Not globally reachable. Source: IANA IPv4 Special-Purpose Address Registry, read 2026-11-22.
const PRIVATE_4: &[Block4] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Inside 2000::/3 and still not reachable, or a tunnel to elsewhere.
/// Source: IANA IPv6 Special-Purpose Address Registry, read 2026-11-22.
const PRIVATE_6: &[Block6] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // Teredo, benchmarking, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// All addresses that are handed out to anybody.
const GLOBAL_UNICAST_6: Block6 = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What an address is. An IPv6 form of an IPv4 address is judged by both.
pub(super) fn kind(address: IpAddr) -> Kind {
    match address.to_canonical() {
        IpAddr::V4(address) => kind_4(address),
        IpAddr::V6(address) => kind_6(address),
    }
}

fn kind_4(address: Ipv4Addr) -> Kind {
    let within = |blocks: &[Block4]| blocks.iter().any(|block| holds_4(*block, address));
    if within(NEVER_4) {
        Kind::Never
    } else if within(PRIVATE_4) {
        Kind::Private
    } else {
        Kind::Public
    }
}

fn kind_6(address: Ipv6Addr) -> Kind {
    let within = |blocks: &[Block6]| blocks.iter().any(|block| holds_6(*block, address));
    let hides_never = embedded(address).is_some_and(|inner| kind_4(inner) == Kind::Never);
    if within(NEVER_6) || hides_never {
        Kind::Never
    } else if within(PRIVATE_6) || !holds_6(GLOBAL_UNICAST_6, address) {
        // NAT64, v4-compatible, unique-local, site-local and multicast all lie outside 2000::/3.
        Kind::Private
    } else {
        Kind::Public
    }
}

/// The IPv4 address that a translating or compatible form carries.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let tail = || {
        let [.., a, b, c, d] = address.octets();
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, ..] | [0x64, 0xff9b, ..] => Some(tail()),
        [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

fn holds_4((first, bits): Block4, address: Ipv4Addr) -> bool {
    let shift = 32_u32.saturating_sub(bits);
    address.to_bits().checked_shr(shift) == first.to_bits().checked_shr(shift)
}

fn holds_6((first, bits): Block6, address: Ipv6Addr) -> bool {
    let shift = 128_u32.saturating_sub(bits);
    address.to_bits().checked_shr(shift) == first.to_bits().checked_shr(shift)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_judged_in_every_spelling() {
        for (address, want) in [
            ("8.8.8.8", Kind::Public),
            ("172.15.255.255", Kind::Public),
            ("172.32.0.1", Kind::Public),
            ("100.63.255.255", Kind::Public),
            ("100.128.0.1", Kind::Public),
            ("198.17.255.255", Kind::Public),
            ("223.255.255.255", Kind::Public),
            ("2606:4700:4700::1111", Kind::Public),
            ("::ffff:8.8.8.8", Kind::Public),
            ("0.0.0.0", Kind::Private),
            ("0.1.2.3", Kind::Private),
            ("10.255.255.255", Kind::Private),
            ("100.64.0.1", Kind::Private),
            ("127.0.0.1", Kind::Private),
            ("127.255.255.254", Kind::Private),
            ("172.16.0.1", Kind::Private),
            ("172.31.255.255", Kind::Private),
            ("192.0.0.8", Kind::Private),
            ("192.0.2.1", Kind::Private),
            ("192.168.1.1", Kind::Private),
            ("198.18.0.1", Kind::Private),
            ("198.19.255.255", Kind::Private),
            ("198.51.100.7", Kind::Private),
            ("203.0.113.7", Kind::Private),
            ("224.0.0.1", Kind::Private),
            ("255.255.255.255", Kind::Private),
            ("::", Kind::Private),
            ("::1", Kind::Private),
            ("::ffff:127.0.0.1", Kind::Private),
            ("::127.0.0.1", Kind::Private),
            ("64:ff9b::7f00:1", Kind::Private),
            ("64:ff9b:1::1", Kind::Private),
            ("100::1", Kind::Private),
            ("2001::1", Kind::Private),
            ("2001:db8::1", Kind::Private),
            ("2002:7f00:1::", Kind::Private),
            ("2002:808:808::", Kind::Private),
            ("3fff::1", Kind::Private),
            ("5f00::1", Kind::Private),
            ("fc00::1", Kind::Private),
            ("fd12:3456::1", Kind::Private),
            ("fec0::1", Kind::Private),
            ("ff02::1", Kind::Private),
            ("169.254.169.254", Kind::Never),
            ("169.254.0.1", Kind::Never),
            ("::ffff:169.254.169.254", Kind::Never),
            ("::169.254.169.254", Kind::Never),
            ("64:ff9b::a9fe:a9fe", Kind::Never),
            ("2002:a9fe:a9fe::", Kind::Never),
            ("100.100.100.200", Kind::Never),
            ("168.63.129.16", Kind::Never),
            ("192.0.0.192", Kind::Never),
            ("fe80::1", Kind::Never),
            ("febf::1", Kind::Never),
            ("fd00:ec2::254", Kind::Never),
        ] {
            assert_eq!(kind(address.parse().unwrap()), want, "{address}");
        }
    }
}
