//! The protocols that both pages speak.

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{PeerId, StreamProtocol};
use libp2p_stream::{AlreadyRegistered, Control};
use sha2::{Digest as _, Sha256};
use wasm_bindgen_futures::spawn_local;
use web_time::Instant;

const ECHO: StreamProtocol = StreamProtocol::new("/interop/echo/1");
const SINK: StreamProtocol = StreamProtocol::new("/interop/sink/1");
const RESET: StreamProtocol = StreamProtocol::new("/interop/reset/1");
const PONG: StreamProtocol = StreamProtocol::new("/interop/pong/1");

/// What is read at once.
const PIECE: usize = 64 * 1024;

type Trouble = Box<dyn core::error::Error>;

/// Answers whoever speaks one of the protocols.
pub(crate) fn answer(control: &Control) -> Result<(), AlreadyRegistered> {
    serve(control, ECHO, async |mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await?;
        stream.write_all(&all).await?;
        stream.close().await?;
        Ok(())
    })?;
    serve(control, SINK, async |mut stream| {
        let (mut all, mut piece) = (Vec::new(), vec![0; PIECE]);
        while let count @ 1.. = stream.read(&mut piece).await? {
            all.extend_from_slice(&piece[..count]);
        }
        let length = u32::try_from(all.len())?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.flush().await?;
        stream.write_all(&Sha256::digest(&all)).await?;
        stream.close().await?;
        Ok(())
    })?;
    serve(control, RESET, async |mut stream| {
        stream.read_exact(&mut [0]).await?;
        // Dropped before it is closed.
        Ok(())
    })?;
    serve(control, PONG, async |mut stream| {
        let mut size = [0; 4];
        stream.read_exact(&mut size).await?;
        let mut message = vec![0; usize::try_from(u32::from_be_bytes(size))?.min(1 << 20)];
        while stream.read_exact(&mut message).await.is_ok() {
            stream.write_all(&message).await?;
            stream.flush().await?;
        }
        stream.close().await?;
        Ok(())
    })
}

fn serve(
    control: &Control,
    protocol: StreamProtocol,
    act: impl AsyncFn(libp2p::Stream) -> Result<(), Trouble> + Copy + 'static,
) -> Result<(), AlreadyRegistered> {
    let mut incoming = control.clone().accept(protocol)?;
    spawn_local(async move {
        while let Some((_, stream)) = incoming.next().await {
            // The other side sees what went wrong, and reports it.
            spawn_local(async move { drop(act(stream).await) });
        }
    });
    Ok(())
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut bytes = Vec::with_capacity(size + 4);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(size);
    bytes
}

pub(crate) async fn echo(
    control: &mut Control,
    peer: PeerId,
    size: usize,
) -> Result<bool, Trouble> {
    let mut stream = control.open_stream(peer, ECHO).await?;
    let sent = noise(size);
    stream.write_all(&sent).await?;
    stream.close().await?;
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await?;
    Ok(Sha256::digest(&sent) == Sha256::digest(&back))
}

/// Whether all of it arrived as it was sent, and the milliseconds until the other side said that it has everything: hashing is no part of the
/// transport.
pub(crate) async fn send(
    control: &mut Control,
    peer: PeerId,
    size: usize,
) -> Result<(bool, f64), Trouble> {
    let sent = noise(size);
    let hash = Sha256::digest(&sent);
    let began = Instant::now();
    let mut stream = control.open_stream(peer, SINK).await?;
    stream.write_all(&sent).await?;
    stream.close().await?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    let mut told = Vec::new();
    stream.read_to_end(&mut told).await?;
    let same = usize::try_from(u32::from_be_bytes(length))? == size && told == hash.to_vec();
    Ok((same, took))
}

/// Whether the other side's reset was seen as one, and not as an end.
pub(crate) async fn reset(control: &mut Control, peer: PeerId) -> Result<bool, Trouble> {
    let mut stream = control.open_stream(peer, RESET).await?;
    stream.write_all(&[1]).await?;
    stream.flush().await?;
    Ok(stream.read(&mut [0]).await.is_err())
}

pub(crate) async fn pong(
    control: &mut Control,
    peer: PeerId,
    size: usize,
    count: usize,
) -> Result<Vec<f64>, Trouble> {
    let mut stream = control.open_stream(peer, PONG).await?;
    stream
        .write_all(&u32::try_from(size)?.to_be_bytes())
        .await?;
    let sent = noise(size);
    let mut back = vec![0; size];
    let mut times = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        stream.write_all(&sent).await?;
        stream.flush().await?;
        stream.read_exact(&mut back).await?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        if back != sent {
            return Err("something else came back".into());
        }
    }
    stream.close().await?;
    Ok(times)
}
