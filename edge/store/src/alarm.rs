//! An object's alarm behind a small trait, so that tests can check natively when it is set and cleared.

use std::time::Duration;

use asklet_protocol::failure::Failure;

/// The alarm of an object. An object has only one: setting it again moves it.
pub trait Alarm {
    /// Sets the alarm, which calls the object after a time.
    fn set(&self, after: Duration) -> impl Future<Output = Result<(), Failure>>;

    /// Clears the alarm.
    fn clear(&self) -> impl Future<Output = Result<(), Failure>>;
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;

    use super::*;

    /// An alarm that only stores after which time it would ring.
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

    /// Runs some work that never has to wait.
    pub fn at_once<T>(work: impl Future<Output = T>) -> T {
        work.now_or_never().unwrap()
    }
}
