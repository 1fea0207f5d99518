//! Finds the place in a JSON text at which a reader stopped. serde reports line and column; people want the
//! path of a field. Code that follows the path while reading would be in the module once for each type that is
//! read, so the path is found afterwards. ARCHITECTURE.md says what a library would cost.

use std::ops::Range;

use asklet_shared::json::end_of_string;

/// One step down into a value.
enum Step {
    /// Into an object, before its first key.
    Start,
    /// To a member; the range is the place of its key in the text.
    Key(Range<usize>),
    /// To an element.
    Element(usize),
}

/// What the reader was working on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A value that it had just read or refused.
    Value,
    /// An object or a list in which something is missing, which the reader notices at its end.
    Whole,
}

/// Returns the path of the value that a reader was working on after it had read the first `read` bytes of a
/// text, such as `questions[0].text`; empty for the whole text.
pub fn path(text: &str, read: usize, at: At) -> String {
    let bytes = text.as_bytes();
    let mut steps: Vec<Step> = Vec::new();
    let mut expects_key = false;
    let mut here = 0;
    while let Some(&byte) = bytes.get(here) {
        let start = here;
        here += 1;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b':' => continue,
            b'{' | b'[' if start < read => {
                expects_key = byte == b'{';
                steps.push(if expects_key { Step::Start } else { Step::Element(0) });
                continue;
            }
            b',' if start < read => {
                match steps.last_mut() {
                    Some(Step::Element(index)) => *index += 1,
                    _ => expects_key = true,
                }
                continue;
            }
            b'}' | b']' if start < read => {
                if here >= read {
                    if at == At::Whole {
                        steps.pop();
                    }
                    break;
                }
                steps.pop();
                expects_key = false;
                continue;
            }
            b'"' => {
                here = end_of_string(bytes, here);
                if expects_key && let Some(last) = steps.last_mut() {
                    *last = Step::Key(start + 1..here.saturating_sub(1));
                    expects_key = false;
                }
            }
            _ => here = end_of_word(bytes, here),
        }
        if here >= read {
            break;
        }
    }
    written(&steps, text)
}

/// Returns the end of a number, `true`, `false` or `null` of which the first byte was read.
fn end_of_word(bytes: &[u8], here: usize) -> usize {
    let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
    let rest = bytes.get(here..).unwrap_or_default();
    here + rest.iter().position(is_end).unwrap_or(rest.len())
}

fn written(steps: &[Step], text: &str) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Start => {}
            Step::Key(range) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(text.get(range.clone()).unwrap_or_default());
            }
            Step::Element(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}
