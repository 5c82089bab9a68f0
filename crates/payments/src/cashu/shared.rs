//! cdk asks for values that can move between threads even in a browser, where there is one thread and a store cannot.

/// A value that is only ever used where it was made.
#[cfg(target_arch = "wasm32")]
pub(super) type Shared<T> = send_wrapper::SendWrapper<T>;

/// A value that threads can share.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug)]
pub(super) struct Shared<T>(T);

#[cfg(not(target_arch = "wasm32"))]
impl<T> Shared<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(value)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<T> core::ops::Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
