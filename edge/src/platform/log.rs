//! The log: lines of JSON on the platform's console.

use worker::console_error;

/// Something broke: `route` says what was asked, without ids.
pub fn error(route: &str, cause: &str) {
    write("error", route, cause);
}

/// Something went wrong and is made up for.
pub fn warn(route: &str, cause: &str) {
    write("warning", route, cause);
}

fn write(level: &str, route: &str, cause: &str) {
    console_error!("{}", serde_json::json!({"level": level, "route": route, "cause": cause}));
}
