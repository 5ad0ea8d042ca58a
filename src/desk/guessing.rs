//! Guesses are taken from an allowance before they are looked at, by account and by network address.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{Desk, DeskError};
use crate::domain::audit::Happened;
use crate::domain::ids::TenantId;
use crate::domain::member::{Actor, Origin};
use crate::domain::throttle::{Allowance, Verdict};
use crate::store::throttle;

/// Wrong passwords for one account.
const OF_ACCOUNT: Allowance = Allowance {
    in_a_row: 10,
    a_day: 100,
};
/// Wrong passwords from one address, behind which an office may sit.
const OF_SOURCE: Allowance = Allowance {
    in_a_row: 100,
    a_day: 1_000,
};
/// Accounts opened from one address.
const OF_SIGN_UP: Allowance = Allowance {
    in_a_row: 60,
    a_day: 300,
};
/// Longer than any of the counts matters.
const KEPT: Duration = Duration::from_secs(2 * 24 * 60 * 60);

type Subject = ([u8; 32], Allowance);

/// What one guess is counted against.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    subjects: Vec<Subject>,
    actor: Actor,
}

impl Guess {
    pub(super) fn at_account(email: &str, origin: &Origin) -> Self {
        Self {
            subjects: vec![
                (subject("account", email), OF_ACCOUNT),
                (subject("source", &network(&origin.source)), OF_SOURCE),
            ],
            actor: Actor::anonymous().with_origin(origin.clone()),
        }
    }

    pub(super) fn at_signing_up(origin: &Origin) -> Self {
        let source = subject("sign-up", &network(&origin.source));
        Self {
            subjects: vec![(source, OF_SIGN_UP)],
            actor: Actor::anonymous().with_origin(origin.clone()),
        }
    }

    /// Takes it from every allowance, or from none. The refusals themselves are counted nowhere and the
    /// beginning of a pause is told once: a flood writes nothing.
    pub(super) async fn take(&self, desk: &Desk) -> Result<(), DeskError> {
        let subjects = self.subjects.clone();
        let write = desk
            .store()
            .write(TenantId::NIL, &self.actor, move |scope| {
                Box::pin(async move {
                    throttle::forget_before(scope, scope.now().minus(KEPT)).await?;
                    let mut taken = Vec::with_capacity(subjects.len());
                    for (subject, allowance) in &subjects {
                        let tally = throttle::hold(scope, subject).await?;
                        match tally.take(scope.now(), *allowance) {
                            Verdict::Taken(next) => taken.push((subject, next)),
                            Verdict::Refused { retry_after } => {
                                return Err(DeskError::TooFast { retry_after });
                            }
                        }
                    }
                    for (subject, tally) in taken {
                        throttle::save(scope, subject, tally).await?;
                        if scope.now() < tally.blocked_until {
                            let subject = data_encoding::HEXLOWER.encode(subject);
                            scope.tell(
                                Happened::new("sign_in.paused", "guesser", subject)
                                    .with("until", tally.blocked_until),
                            );
                        }
                    }
                    Ok(())
                })
            });
        write.await
    }

    /// It was right: it does not count.
    pub(super) async fn give_back(&self, desk: &Desk) -> Result<(), DeskError> {
        let subjects = self.subjects.clone();
        let write = desk
            .store()
            .write(TenantId::NIL, &self.actor, move |scope| {
                Box::pin(async move {
                    for (subject, _) in &subjects {
                        let tally = throttle::hold(scope, subject).await?;
                        throttle::save(scope, subject, tally.give_back()).await?;
                    }
                    Ok::<_, DeskError>(())
                })
            });
        write.await
    }
}

fn subject(kind: &str, value: &str) -> [u8; 32] {
    Sha256::digest(format!("{kind}\0{value}").as_bytes()).into()
}

/// An IPv6 customer has a whole /64 to guess from.
fn network(source: &str) -> String {
    match source
        .parse::<IpAddr>()
        .map(|address| address.to_canonical())
    {
        Ok(IpAddr::V6(address)) => {
            let prefix = address.to_bits() & (u128::MAX << 64);
            Ipv6Addr::from_bits(prefix).to_string()
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_is_one_network() {
        for (source, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::9", "2001:db8:1:2::"),
            ("2001:db8:1:3::9", "2001:db8:1:3::"),
        ] {
            assert_eq!(network(source), expected);
        }
    }
}
