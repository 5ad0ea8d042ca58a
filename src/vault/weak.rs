//! Keys that were made up instead of drawn. Random bytes are refused by none of these rules more often
//! than once in 10^12 keys.

/// Words that sample files use for keys.
const SAMPLE_WORDS: &[&str] = &[
    "change", "default", "secret", "password", "master", "example", "insecure", "sample", "test",
    "replace", "dummy",
];

/// Different bytes in a key below which it was not drawn at random; 32 random bytes have about 30.
const DISTINCT_MIN: usize = 16;

/// What gives a made-up key away, to stand after "the key is"; None where nothing does.
pub(super) fn reason(key: &[u8; 32]) -> Option<&'static str> {
    if key.iter().all(|byte| *byte == 0) {
        Some("all zeros")
    } else if distinct(key) < DISTINCT_MIN || is_counted(key) || is_repeated(key) {
        Some("a pattern, not random bytes")
    } else if is_sample_text(key) {
        Some("a text of the kind that sample files hold")
    } else {
        None
    }
}

fn distinct(key: &[u8; 32]) -> usize {
    let mut bytes = key.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len()
}

/// Each byte differs from the one before by the same step.
fn is_counted(key: &[u8; 32]) -> bool {
    let steps: Vec<u8> = pairs(key, 1)
        .map(|(before, after)| after.wrapping_sub(before))
        .collect();
    steps.iter().all(|step| Some(step) == steps.first())
}

/// The second half says the first again.
fn is_repeated(key: &[u8; 32]) -> bool {
    pairs(key, 16).all(|(before, after)| before == after)
}

fn pairs(key: &[u8; 32], apart: usize) -> impl Iterator<Item = (u8, u8)> + '_ {
    key.iter().copied().zip(key.iter().copied().skip(apart))
}

fn is_sample_text(key: &[u8; 32]) -> bool {
    let is_text = key.iter().all(|byte| (b' '..=b'~').contains(byte));
    let text = String::from_utf8_lossy(key).to_ascii_lowercase();
    is_text && SAMPLE_WORDS.iter().any(|word| text.contains(word))
}
