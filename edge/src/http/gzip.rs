//! Bodies that are compressed with gzip. The platform can decompress too, but it returns everything that a
//! piece decompresses to at once, and a few kilobytes can become gigabytes.

use std::io::{ErrorKind, Read};

use asklet_shared::problem::{Code, Problem};
use flate2::read::MultiGzDecoder;

use crate::http::problems;

/// The name of gzip in `Content-Encoding` and `Accept-Encoding`.
pub const NAME: &str = "gzip";

/// Decompresses bytes, if the result has at most `limit` bytes. Stops decompressing beyond the limit.
pub fn decompress(compressed: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(compressed).take(one_more).read_to_end(&mut bytes);
    match read {
        Ok(read) if read <= limit => Ok(bytes),
        Ok(_) => Err(problems::too_large(limit)),
        Err(error) => Err(Problem::new(
            Code::MalformedJson,
            match error.kind() {
                ErrorKind::UnexpectedEof => "the compressed body broke off",
                _ => "the body is not compressed with gzip",
            },
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn compress(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_compressed_is_read_up_to_the_limit() {
        let lines = b"{\"score\": 9}\n".repeat(100);
        assert_eq!(decompress(&compress(&lines), lines.len()).unwrap(), lines);
        // Parts that were compressed one by one, as log shippers send them.
        let parts = [compress(&lines), compress(&lines)].concat();
        assert_eq!(decompress(&parts, 2 * lines.len()).unwrap(), lines.repeat(2));
        let code = |bytes: &[u8], limit| decompress(bytes, limit).unwrap_err().code;
        assert_eq!(code(&compress(&lines), lines.len() - 1), Code::BodyTooLarge);
        assert_eq!(code(&parts, lines.len()), Code::BodyTooLarge);
        for broken in [&[][..], &lines, &parts[..parts.len() - 1], &parts[..20]] {
            assert_eq!(code(broken, usize::MAX), Code::MalformedJson);
        }
    }
}
