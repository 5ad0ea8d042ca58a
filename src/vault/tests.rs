//! Sealing fails closed: wherever a sealed value is put, and whatever is changed in it.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::cipher::{self, KeyBytes};
use super::*;
use crate::domain::ids::{DataKeyId, TenantId};

fn vault() -> Vault {
    let list = MasterKeys::generate().unwrap();
    Vault::new(MasterKeys::parse(&list).unwrap())
}

fn place(tenant: TenantId) -> Place<'static> {
    Place {
        tenant,
        table: "connection_secret",
        row: Uuid::from_u128(7),
        field: "client_secret",
    }
}

#[test]
fn a_secret_opens_in_its_place_and_nowhere_else() {
    let (vault, tenant) = (vault(), TenantId::generate());
    let wrapped = vault.new_data_key(tenant).unwrap();
    let key = vault.open_data_key(tenant, &wrapped).unwrap();
    let home = place(tenant);
    let sealed = key.seal(&home, b"canary").unwrap();
    assert_eq!(key.open(&home, &sealed).unwrap().as_slice(), b"canary");
    assert_eq!(sealed.key_id(), Ok(wrapped.id));
    for (what, elsewhere) in [
        (
            "tenant",
            Place {
                tenant: TenantId::generate(),
                ..home
            },
        ),
        (
            "table",
            Place {
                table: "vendor_token",
                ..home
            },
        ),
        (
            "row",
            Place {
                row: Uuid::from_u128(8),
                ..home
            },
        ),
        (
            "field",
            Place {
                field: "client_id",
                ..home
            },
        ),
        // The same letters, cut elsewhere.
        (
            "cut",
            Place {
                table: "connection_secretclient",
                field: "_secret",
                ..home
            },
        ),
    ] {
        let opened = key.open(&elsewhere, &sealed);
        assert_eq!(opened, Err(VaultError::Broken), "{what}");
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let (vault, tenant) = (vault(), TenantId::generate());
    let wrapped = vault.new_data_key(tenant).unwrap();
    let key = vault.open_data_key(tenant, &wrapped).unwrap();
    let sealed = key.seal(&place(tenant), b"canary").unwrap().into_bytes();
    for damaged in damages(&sealed) {
        let damaged = Sealed::from_bytes(damaged);
        assert!(key.open(&place(tenant), &damaged).is_err(), "{damaged:?}");
    }
    for bytes in damages(&wrapped.bytes) {
        let damaged = WrappedKey {
            bytes,
            ..wrapped.clone()
        };
        assert!(
            vault.open_data_key(tenant, &damaged).is_err(),
            "{damaged:?}"
        );
    }
}

/// The bytes with each bit flipped in turn, each shorter beginning, and one byte more.
fn damages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let flipped = (0..bytes.len() * 8).map(|bit| {
        let mut copy = bytes.to_vec();
        copy[bit / 8] ^= 1 << (bit % 8);
        copy
    });
    let cut = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    let longer = std::iter::once([bytes, &[0]].concat());
    flipped.chain(cut).chain(longer).collect()
}

#[test]
fn a_data_key_belongs_to_its_tenant_id_and_master() {
    let (home, tenant) = (vault(), TenantId::generate());
    let wrapped = home.new_data_key(tenant).unwrap();
    let broken = Err(VaultError::Broken);
    let open = |vault: &Vault, tenant, wrapped: &WrappedKey| {
        vault.open_data_key(tenant, wrapped).map(|key| key.id())
    };
    assert_eq!(open(&home, tenant, &wrapped), Ok(wrapped.id));
    assert_eq!(open(&home, TenantId::generate(), &wrapped), broken);
    let renamed = WrappedKey {
        id: DataKeyId::generate(),
        ..wrapped.clone()
    };
    assert_eq!(open(&home, tenant, &renamed), broken);
    // Another key under the same version.
    assert_eq!(open(&vault(), tenant, &wrapped), broken);
}

#[test]
fn the_last_master_key_seals_and_all_open() {
    let tenant = TenantId::generate();
    let first = MasterKeys::generate().unwrap();
    let second = first_as(&MasterKeys::generate().unwrap(), "v2");
    let old = Vault::new(MasterKeys::parse(&first).unwrap());
    let both = Vault::new(MasterKeys::parse(&format!("{}, {second}\n", *first)).unwrap());
    let new = Vault::new(MasterKeys::parse(&second).unwrap());

    let by_old = old.new_data_key(tenant).unwrap();
    let by_both = both.new_data_key(tenant).unwrap();
    assert_eq!(by_old.master_version(), Ok(1));
    assert_eq!(by_both.master_version(), Ok(2));
    assert!(both.open_data_key(tenant, &by_old).is_ok());
    assert!(new.open_data_key(tenant, &by_both).is_ok());
    let missing = new.open_data_key(tenant, &by_old).map(|key| key.id());
    assert_eq!(missing, Err(VaultError::UnknownMaster(1)));
    assert_eq!(both.versions(), [1, 2]);
}

fn first_as(list: &str, version: &str) -> String {
    list.replacen("v1", version, 1)
}

#[test]
fn values_name_their_key_and_format() {
    let (vault, tenant) = (vault(), TenantId::generate());
    let open = || {
        let wrapped = vault.new_data_key(tenant).unwrap();
        vault.open_data_key(tenant, &wrapped).unwrap()
    };
    let (first, second) = (open(), open());
    let sealed = first.seal(&place(tenant), b"canary").unwrap();
    assert_eq!(
        second.open(&place(tenant), &sealed),
        Err(VaultError::OtherKey(first.id()))
    );
    let mut later = sealed.into_bytes();
    later[0] = 2;
    let later = Sealed::from_bytes(later);
    assert_eq!(later.key_id(), Err(VaultError::Format(2)));
    assert_eq!(Sealed::from_bytes(vec![]).key_id(), Err(VaultError::Broken));
}

#[test]
fn the_same_value_twice_looks_different() {
    let (vault, tenant) = (vault(), TenantId::generate());
    let wrapped = vault.new_data_key(tenant).unwrap();
    let key = vault.open_data_key(tenant, &wrapped).unwrap();
    let seal = || key.seal(&place(tenant), b"canary").unwrap();
    assert_ne!(seal(), seal());
    assert_eq!(key.uses(), 2);
}

#[test]
fn a_worn_key_opens_but_no_longer_seals() {
    let (vault, tenant) = (vault(), TenantId::generate());
    let mut wrapped = vault.new_data_key(tenant).unwrap();
    wrapped.uses = (1 << 28) - 1;
    let key = vault.open_data_key(tenant, &wrapped).unwrap();
    assert!(!key.is_worn());
    let last = key.seal(&place(tenant), b"canary").unwrap();
    assert!(key.is_worn());
    let refused = key.seal(&place(tenant), b"canary");
    assert_eq!(refused, Err(VaultError::Worn(key.id())));
    assert!(key.open(&place(tenant), &last).is_ok());
}

#[test]
fn a_million_nonces_do_not_repeat() {
    // One long draw stands for a million sealings: both take their nonces from `cipher::fill`.
    let mut drawn = vec![0; 1_000_000 * cipher::NONCE_BYTES];
    cipher::fill(&mut drawn).unwrap();
    let mut nonces: Vec<&[u8]> = drawn.chunks(cipher::NONCE_BYTES).collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 1_000_000);

    let key = cipher::random_key().unwrap();
    let sealed = (0..10_000).map(|_| cipher::seal(&key, b"", b"").unwrap());
    let nonces: HashSet<Vec<u8>> = sealed.map(|s| s[..cipher::NONCE_BYTES].to_vec()).collect();
    assert_eq!(nonces.len(), 10_000);
}

#[test]
fn published_vectors_open_or_are_refused_as_published() {
    let cases = include_str!("../../tests/fixtures/vault/aes_gcm_256.txt");
    let (mut valid, mut invalid) = (0, 0);
    for case in cases.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = case.split(' ').collect();
        let bytes = |field: usize| match fields[field] {
            "-" => Vec::new(),
            digits => HEXLOWER.decode(digits.as_bytes()).unwrap(),
        };
        let key = KeyBytes::new(bytes(2).try_into().unwrap());
        let sealed = [bytes(3), bytes(6), bytes(7)].concat();
        let opened = cipher::open(&key, &bytes(4), &sealed);
        if fields[1] == "valid" {
            valid += 1;
            assert_eq!(opened.unwrap().as_slice(), bytes(5), "case {}", fields[0]);
        } else {
            invalid += 1;
            assert_eq!(opened, Err(VaultError::Broken), "case {}", fields[0]);
        }
    }
    assert_eq!((valid, invalid), (39, 27));
}

#[test]
fn lists_of_master_keys_that_are_refused() {
    let good = MasterKeys::generate().unwrap();
    let key = |bytes: &[u8]| format!("v1:{}", data_encoding::BASE64.encode(bytes));
    let counted: Vec<u8> = (0..32).collect();
    for (list, problem) in [
        (String::new(), BadMasterKeys::Empty),
        (" \n".to_owned(), BadMasterKeys::Empty),
        ("changeme".to_owned(), BadMasterKeys::NoVersion(1)),
        (format!("{},", *good), BadMasterKeys::NoVersion(2)),
        (good.replace("v1:", ""), BadMasterKeys::NoVersion(1)),
        (good.replace("v1", "one"), BadMasterKeys::NoVersion(1)),
        (good.replace("v1", "v"), BadMasterKeys::NoVersion(1)),
        ("v3:!!!".to_owned(), BadMasterKeys::NotBase64(3)),
        (
            key(b"short"),
            BadMasterKeys::Length {
                version: 1,
                bytes: 5,
            },
        ),
        (
            key(&[7; 33]),
            BadMasterKeys::Length {
                version: 1,
                bytes: 33,
            },
        ),
        (
            "v1:".to_owned(),
            BadMasterKeys::Length {
                version: 1,
                bytes: 0,
            },
        ),
        (format!("{0},{0}", *good), BadMasterKeys::VersionTwice(1)),
        (
            format!("{},{}", *good, first_as(&good, "v2")),
            BadMasterKeys::KeyTwice(1, 2),
        ),
        (key(&[0; 32]), BadMasterKeys::Guessable(1, "all zeros")),
        (key(&[b'k'; 32]), guessable_pattern()),
        (key(&counted), guessable_pattern()),
        (
            key(b"0123456789abcdef0123456789abcdef"),
            guessable_pattern(),
        ),
        (
            key(b"Please-Change-This-Key-1234567!!"),
            BadMasterKeys::Guessable(1, "a text of the kind that sample files hold"),
        ),
    ] {
        let parsed = MasterKeys::parse(&list).map(|keys| keys.versions());
        assert_eq!(parsed, Err(problem), "{list}");
    }
}

fn guessable_pattern() -> BadMasterKeys {
    BadMasterKeys::Guessable(1, "a pattern, not random bytes")
}

#[test]
fn base64_is_read_in_all_its_forms() {
    let bytes = cipher::random_key().unwrap();
    for encoding in [
        data_encoding::BASE64,
        data_encoding::BASE64_NOPAD,
        data_encoding::BASE64URL,
        data_encoding::BASE64URL_NOPAD,
    ] {
        let list = format!("v12:{}", encoding.encode(bytes.as_slice()));
        assert_eq!(MasterKeys::parse(&list).unwrap().versions(), [12]);
    }
}

#[test]
fn no_debug_form_shows_a_key() {
    let (vault, tenant) = (vault(), TenantId::generate());
    let wrapped = vault.new_data_key(tenant).unwrap();
    let key = vault.open_data_key(tenant, &wrapped).unwrap();
    assert_eq!(
        format!("{vault:?}"),
        "Vault { masters: MasterKeys([1], ***) }"
    );
    assert_eq!(format!("{key:?}"), format!("DataKey({}, ***)", key.id()));
}

#[test]
fn a_signature_holds_for_its_purpose_parts_and_master_only() {
    let (vault, head) = (vault(), [b"tenant".as_slice(), b"42"]);
    let signature = vault.sign(Purpose::AuditHead, &head);
    assert!(signature.starts_with("v1:") && signature.len() == 67);
    assert_eq!(signature, vault.sign(Purpose::AuditHead, &head));
    let holds = |purpose, parts: &[&[u8]], text: &str| vault.is_signed(purpose, parts, text);
    assert!(holds(Purpose::AuditHead, &head, &signature));
    assert!(!holds(Purpose::Bucket, &head, &signature));
    assert!(!holds(Purpose::AuditHead, &[b"tenant4", b"2"], &signature));
    for text in [
        "",
        "v1:",
        "v2:00",
        "v1:zz",
        &signature[..65],
        &signature[3..],
    ] {
        assert!(!holds(Purpose::AuditHead, &head, text), "{text}");
    }
    let stranger = self::vault();
    assert!(!stranger.is_signed(Purpose::AuditHead, &head, &signature));
}

/// A list after one rotation, as the text that its file holds.
fn rotated(list: &str) -> String {
    let masters = MasterKeys::parse(list).unwrap();
    masters.appended(list).unwrap().to_string()
}

#[test]
fn a_rotation_goes_from_version_to_version() {
    let first = MasterKeys::generate().unwrap();
    let second = rotated(&format!("{}\n", *first));
    let tenant = TenantId::generate();
    let vault = Vault::new(MasterKeys::parse(&first).unwrap());
    let key = vault.new_data_key(tenant).unwrap();
    let signature = vault.sign(Purpose::AuditHead, &[b"head"]);

    // Learned, but not yet what seals: others may not know it.
    assert!(vault.learn(MasterKeys::parse(&second).unwrap()).unwrap());
    assert!(!vault.learn(MasterKeys::parse(&second).unwrap()).unwrap());
    assert_eq!((vault.versions(), vault.sealing_version()), (vec![1, 2], 1));
    assert_eq!(vault.new_data_key(tenant).unwrap().master_version(), Ok(1));

    vault.seal_with_newest();
    let rewrapped = vault.rewrap(tenant, &key).unwrap();
    assert_eq!(rewrapped.master_version(), Ok(2));
    assert_eq!(rewrapped.id, key.id);
    let place = Place {
        tenant,
        table: "t",
        row: tenant.0,
        field: "f",
    };
    let before = vault.open_data_key(tenant, &key).unwrap();
    let sealed = before.seal(&place, b"secret").unwrap();
    // Without the old version: what was rewrapped opens, what was not does not.
    let (_, newest) = second.split_once(',').unwrap();
    let later = Vault::new(MasterKeys::parse(newest).unwrap());
    let after = later.open_data_key(tenant, &rewrapped).unwrap();
    assert_eq!(*after.open(&place, &sealed).unwrap(), b"secret");
    assert_eq!(
        later.open_data_key(tenant, &key).unwrap_err(),
        VaultError::UnknownMaster(1)
    );
    assert!(vault.is_signed(Purpose::AuditHead, &[b"head"], &signature));
    assert!(!later.is_signed(Purpose::AuditHead, &[b"head"], &signature));
    assert_eq!(Vault::version_of(&signature), Some(1));
    // A version that left the list goes on opening until the next start.
    assert!(!vault.learn(MasterKeys::parse(newest).unwrap()).unwrap());
    assert_eq!(vault.versions(), [1, 2]);
    let third = rotated(newest);
    assert!(vault.learn(MasterKeys::parse(&third).unwrap()).unwrap());
    assert_eq!(
        (vault.versions(), vault.sealing_version()),
        (vec![1, 2, 3], 2)
    );
}

#[test]
fn a_list_of_somebody_else_is_not_learned() {
    let (own, other) = (
        MasterKeys::generate().unwrap(),
        MasterKeys::generate().unwrap(),
    );
    let vault = Vault::new(MasterKeys::parse(&own).unwrap());
    let refused = vault.learn(MasterKeys::parse(&other).unwrap());
    assert_eq!(refused, Err(OtherKeys));
    assert_eq!(vault.versions(), [1]);
}
