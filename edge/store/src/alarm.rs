//! An object's alarm behind a small trait, so that when it is set and cleared is tested natively.

use std::time::Duration;

use asklet_protocol::failure::Failure;

/// The one alarm that an object has: setting it again moves it.
pub trait Alarm {
    /// Calls the object after a time.
    fn set(&self, after: Duration) -> impl Future<Output = Result<(), Failure>>;

    /// Calls it no more.
    fn clear(&self) -> impl Future<Output = Result<(), Failure>>;
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;

    use super::*;

    /// An alarm that only says after which time it would ring.
    #[derive(Default)]
    pub struct Clock(pub Cell<Option<Duration>>);

    impl Alarm for Clock {
        async fn set(&self, after: Duration) -> Result<(), Failure> {
            self.0.set(Some(after));
            Ok(())
        }

        async fn clear(&self) -> Result<(), Failure> {
            self.0.set(None);
            Ok(())
        }
    }

    /// Runs some work that has nothing to wait for.
    pub fn at_once<T>(work: impl Future<Output = T>) -> T {
        work.now_or_never().unwrap()
    }
}
