//! Reads an answer's body within limits, and unpacks it.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// Bytes of an answer after unpacking. Ours: no list or document of any vendor comes near.
pub(super) const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Below this size any ratio is fine: small repetitive JSON packs very well.
const RATIO_FREE_BYTES: usize = 1024 * 1024;
/// Unpacked bytes for one packed byte.
const RATIO_MAX: usize = 100;
const BLOCK_BYTES: usize = 64 * 1024;

/// Why a body cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the answer is larger than {} MiB", BODY_BYTES_MAX / 1024 / 1024)]
    TooLarge,
    #[error("the answer is packed in a way that was not asked for")]
    Encoding,
    #[error("the answer cannot be unpacked")]
    Packing(#[source] std::io::Error),
    #[error("the answer broke off")]
    Connection(#[source] reqwest::Error),
}

impl Unreadable {
    /// A stable word.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "answer_too_large",
            Self::Encoding | Self::Packing(_) => "answer_unreadable",
            Self::Connection(_) => "connection_lost",
        }
    }
}

/// Reads everything and unpacks it.
///
/// # Errors
/// As soon as a limit is passed: what is over it is never read.
pub(super) async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, Unreadable> {
    let encoding = answer
        .headers()
        .get(reqwest::header::CONTENT_ENCODING)
        .map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .trim()
                .to_ascii_lowercase()
        })
        .unwrap_or_default();
    let announced = answer.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |bytes| bytes > BODY_BYTES_MAX) {
        return Err(Unreadable::TooLarge);
    }
    let mut packed = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Unreadable::Connection)? {
        if packed.len().saturating_add(chunk.len()) > BODY_BYTES_MAX {
            return Err(Unreadable::TooLarge);
        }
        packed.extend_from_slice(&chunk);
    }
    unpack(&encoding, packed)
}

fn unpack(encoding: &str, packed: Vec<u8>) -> Result<Vec<u8>, Unreadable> {
    // An empty body is no archive, whatever its header says.
    if packed.is_empty() {
        return Ok(packed);
    }
    match encoding {
        "" | "identity" => Ok(packed),
        "gzip" | "x-gzip" => inflate(MultiGzDecoder::new(packed.as_slice()), packed.len()),
        "deflate" => inflate(ZlibDecoder::new(packed.as_slice()), packed.len()),
        _ => Err(Unreadable::Encoding),
    }
}

fn inflate(mut source: impl Read, packed_bytes: usize) -> Result<Vec<u8>, Unreadable> {
    let by_ratio = packed_bytes.saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES);
    let bytes_max = by_ratio.min(BODY_BYTES_MAX);
    let mut whole = Vec::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = source.read(&mut block).map_err(Unreadable::Packing)?;
        let fresh = block.get(..count).unwrap_or_default();
        if fresh.is_empty() {
            return Ok(whole);
        }
        if whole.len().saturating_add(fresh.len()) > bytes_max {
            return Err(Unreadable::TooLarge);
        }
        whole.extend_from_slice(fresh);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn packed_bodies_come_out_whole() {
        let text = b"{\"a\":1}".repeat(1000);
        assert_eq!(unpack("gzip", gzip(&text)).unwrap(), text);
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&text).unwrap();
        assert_eq!(unpack("deflate", encoder.finish().unwrap()).unwrap(), text);
        assert_eq!(unpack("", text.clone()).unwrap(), text);
        assert_eq!(unpack("gzip", Vec::new()).unwrap(), b"");
    }

    #[test]
    fn bombs_and_strange_packings_are_refused() {
        let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(unpack("gzip", bomb), Err(Unreadable::TooLarge)));
        // 2 MiB of blanks is small enough, but packs better than 100 to 1.
        assert!(matches!(
            unpack("gzip", gzip(&vec![b' '; 2 * 1024 * 1024])),
            Err(Unreadable::TooLarge)
        ));
        assert!(matches!(unpack("br", vec![1]), Err(Unreadable::Encoding)));
        assert!(matches!(
            unpack("gzip", b"<html>".to_vec()),
            Err(Unreadable::Packing(_))
        ));
        let mut cut = gzip(&b"0123456789".repeat(100));
        cut.truncate(20);
        assert!(matches!(unpack("gzip", cut), Err(Unreadable::Packing(_))));
    }
}
