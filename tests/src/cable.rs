//! A line on which packets take their time and some are lost: two Ethernet interfaces with a thread in each direction between them.
//!
//! The kernel's own means for that (netem) is missing from some kernels; interfaces whose other end is a program (TAP) are everywhere.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tun_rs::{DeviceBuilder, InterruptEvent, Layer, SyncDevice};

use crate::trouble::{Outcome, Trouble};

/// What happens to packets on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// How much longer each of them takes.
    pub delay: Duration,
    /// How many of a hundred are lost.
    pub loss: u32,
    /// The seed of the dice that say which.
    pub dice: u64,
}

/// Frames that are on their way at the same time; what comes on top is lost, as on any line.
const ON_THE_WAY: usize = 4_096;
/// A frame of Ethernet and some room.
const FRAME: usize = 2_048;

/// A line, until it is dropped.
pub struct Cable {
    stop: Arc<InterruptEvent>,
    lost: Arc<AtomicUsize>,
}

impl core::fmt::Debug for Cable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Cable")
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}

impl Cable {
    /// Lays a line between two network namespaces (files) with an interface of this name in each; the weather is over what leaves the first
    /// one. The interfaces are down.
    ///
    /// # Errors
    /// If the system has no TAP interfaces or does not let us have them.
    pub fn lay(from: (PathBuf, &str), to: (PathBuf, &str), weather: Weather) -> Outcome<Self> {
        let near = Arc::new(interface(from.0, from.1)?);
        let far = Arc::new(interface(to.0, to.1)?);
        let stop = Arc::new(InterruptEvent::new()?);
        let lost = Arc::new(AtomicUsize::new(0));
        let (enter, leave) = sync_channel(ON_THE_WAY);
        {
            let (near, stop, lost) = (Arc::clone(&near), Arc::clone(&stop), Arc::clone(&lost));
            thread::spawn(move || take_in(&near, &stop, &lost, weather, &enter));
        }
        {
            let far = Arc::clone(&far);
            thread::spawn(move || give_out(&far, &leave));
        }
        {
            let stop = Arc::clone(&stop);
            thread::spawn(move || pass_on(&far, &near, &stop));
        }
        Ok(Self { stop, lost })
    }

    /// How many frames were lost so far.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // Where it fails, the threads end with the program.
        let _ = self.stop.trigger();
    }
}

/// The real clock: packets of real programs are on the line.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn interface(space: PathBuf, name: &str) -> Outcome<SyncDevice> {
    let name = name.to_owned();
    let opened = crate::town::within(&space, move || {
        Ok(DeviceBuilder::new()
            .name(name)
            .layer(Layer::L2)
            .enable(false)
            .build_sync()?)
    });
    opened
        .join()
        .map_err(|_| Trouble::new("opening a TAP interface panicked"))?
        .map_err(|trouble| trouble.while_doing("opening a TAP interface"))
}

/// The next frame, or nothing when the line is to end.
fn next(of: &SyncDevice, stop: &InterruptEvent, frame: &mut [u8]) -> Option<usize> {
    loop {
        match of.recv_intr(frame, stop) {
            Ok(count) => return Some(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}

fn take_in(
    near: &SyncDevice,
    stop: &InterruptEvent,
    lost: &AtomicUsize,
    weather: Weather,
    enter: &SyncSender<(Instant, Vec<u8>)>,
) {
    let mut dice = ChaCha20Rng::seed_from_u64(weather.dice);
    let mut frame = [0; FRAME];
    while let Some(count) = next(near, stop, &mut frame) {
        let due = now() + weather.delay;
        let is_lost = dice.next_u32() % 100 < weather.loss || {
            let frame = frame.get(..count).unwrap_or_default().to_vec();
            match enter.try_send((due, frame)) {
                Ok(()) => false,
                Err(TrySendError::Full(_)) => true,
                Err(TrySendError::Disconnected(_)) => return,
            }
        };
        if is_lost {
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn give_out(far: &SyncDevice, leave: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((due, frame)) = leave.recv() {
        thread::sleep(due.saturating_duration_since(now()));
        // An interface that is down takes nothing, which is one more loss.
        let _ = far.send(&frame);
    }
}

fn pass_on(from: &SyncDevice, into: &SyncDevice, stop: &InterruptEvent) {
    let mut frame = [0; FRAME];
    while let Some(count) = next(from, stop, &mut frame) {
        // As above.
        let _ = into.send(frame.get(..count).unwrap_or_default());
    }
}
