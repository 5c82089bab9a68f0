// A js-libp2p peer that a test drives through window.peer: every method takes and gives plain JSON.

import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { ECHO, PONG, RESET, Reader, SINK, closed, exchange, pattern, responders, same, sha256, u32, write } from './streams.mjs'

const MANY = 1024
const MINUTE = 60_000

const lines = []
let node

const has = (address, name) => address.getComponents().some(component => component.name === name)
const isDirect = (connection) => has(connection.remoteAddr, 'webrtc')
const isRelayed = (connection) => has(connection.remoteAddr, 'p2p-circuit') && !isDirect(connection)

function open (peerId) {
  return node.getConnections().filter(c => c.status === 'open' && c.remotePeer.toString() === peerId)
}

function direct (peerId) {
  const connection = open(peerId).find(isDirect)
  if (connection == null) throw new Error(`no /webrtc connection with ${peerId}`)
  return connection
}

function stream (connection, protocol) {
  return connection.newStream(protocol, { runOnLimitedConnection: true })
}

/** Waits for the events of these names until the test holds. */
function until (names, ms, what, test) {
  return new Promise((resolve, reject) => {
    const finish = (how, value) => {
      clearTimeout(timer)
      for (const name of names) node.removeEventListener(name, check)
      how(value)
    }
    const check = () => { if (test()) finish(resolve) }
    const timer = setTimeout(() => finish(reject, new Error(`no ${what} after ${ms} ms`)), ms)
    for (const name of names) node.addEventListener(name, check)
    check()
  })
}

async function timed (work) {
  const from = performance.now()
  const value = await work()
  return { ms: performance.now() - from, value }
}

async function echo (connection, bytes) {
  const echoing = await stream(connection, ECHO)
  const answer = await exchange(echoing, bytes)
  await closed(echoing)
  return answer
}

async function echoesAtOnce (connection, n, size) {
  const bytes = pattern(size)
  const results = await Promise.allSettled(Array.from({ length: n }, async () => {
    if (!same(await echo(connection, bytes), bytes)) throw new Error('another answer')
  }))
  const failures = results.filter(result => result.status === 'rejected')
  for (const { reason } of failures) lines.push(`echo: ${reason}`)
  return failures.length
}

async function freshDial (address, ms) {
  let step = 'nothing'
  const onProgress = (event) => { step = event.type }
  const signal = AbortSignal.timeout(ms)
  const connection = await node.dial(multiaddr(address), { force: true, signal, onProgress }).catch(error => {
    throw new Error(`${plain(error).message} (last step: ${step})`)
  })
  if (!isDirect(connection)) throw new Error(`not a /webrtc connection: ${connection.remoteAddr}`)
  return connection
}

const api = {
  async start ({ relay, iceServers = [], reserve = true }) {
    const { ms } = await timed(async () => {
      node = await createLibp2p({
        addresses: { listen: reserve ? [`${relay}/p2p-circuit`, '/webrtc'] : ['/webrtc'] },
        transports: [
          webSockets(),
          circuitRelayTransport({ reservationCompletionTimeout: MINUTE, maxInboundStopStreams: MANY, maxOutboundStopStreams: MANY }),
          webRTC({ rtcConfiguration: { iceServers }, maxEarlyStreams: MANY })
        ],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux({ maxEarlyStreams: MANY })],
        services: { identify: identify({ maxInboundStreams: 64, maxOutboundStreams: 64 }), ping: ping({ maxInboundStreams: 64, maxOutboundStreams: 64 }) },
        // In a browser the default gater refuses ws:// and private addresses.
        connectionGater: { denyDialMultiaddr: () => false },
        connectionManager: {
          maxConnections: MANY,
          dialTimeout: MINUTE,
          addressDialTimeout: MINUTE,
          inboundUpgradeTimeout: MINUTE,
          inboundStreamProtocolNegotiationTimeout: MINUTE,
          outboundStreamProtocolNegotiationTimeout: MINUTE,
          inboundConnectionThreshold: Infinity,
          maxIncomingPendingConnections: MANY
        },
        // A page that is busy for some seconds is not a dead one.
        connectionMonitor: { pingTimeout: { minTimeout: 20_000 } }
      })
      for (const [protocol, respond] of Object.entries(responders)) {
        await node.handle(protocol, respond, { runOnLimitedConnection: true, maxInboundStreams: MANY, maxOutboundStreams: MANY })
      }
      if (reserve) {
        await until(['transport:listening', 'self:peer:update'], MINUTE, 'address of our own', () => ownAddresses().length > 0)
      } else {
        await node.dial(multiaddr(relay))
      }
    })
    return { peer: node.peerId.toString(), ms }
  },

  async addresses () {
    return ownAddresses()
  },

  async dial (address, timeoutMs = 30_000) {
    const { ms, value: connection } = await timed(() => freshDial(address, timeoutMs))
    return { ms, remote: connection.remoteAddr.toString(), limited: connection.limits != null }
  },

  async connections (peerId) {
    return open(peerId).map(c => ({ remote: c.remoteAddr.toString(), direction: c.direction, limited: c.limits != null }))
  },

  async hangUp (peerId, only) {
    const wanted = { webrtc: isDirect, relayed: isRelayed, all: () => true }[only]
    if (wanted == null) throw new Error(`hangUp: webrtc, relayed or all, not ${only}`)
    const closing = open(peerId).filter(wanted)
    await Promise.all(closing.map(c => c.close().catch(error => c.abort(error))))
    await until(['connection:close'], MINUTE, 'end of the connections', () => closing.every(c => c.status !== 'open' && c.status !== 'closing'))
  },

  async identify (peerId) {
    const result = await node.services.identify.identify(direct(peerId))
    return {
      agent: result.agentVersion ?? '',
      protocols: result.protocols,
      addresses: result.listenAddrs.map(String)
    }
  },

  async ping (peerId) {
    return node.services.ping.ping(direct(peerId).remotePeer, { signal: AbortSignal.timeout(MINUTE) })
  },

  async echo (peerId, size) {
    const bytes = pattern(size)
    const { ms, value: answer } = await timed(() => echo(direct(peerId), bytes))
    return { ok: same(await sha256(answer), await sha256(bytes)), ms }
  },

  async send (peerId, size) {
    const bytes = pattern(size)
    const digest = await sha256(bytes)
    // The clock stops when the other side says that it has everything; hashing is no part of the transport.
    const { ms, value: [sink, reader, told] } = await timed(async () => {
      const sink = await stream(direct(peerId), SINK)
      const reader = new Reader(sink)
      const sent = write(sink, bytes).then(() => sink.close())
      const [told] = await Promise.all([reader.exactly(4), sent])
      return [sink, reader, told]
    })
    const answer = await reader.all()
    await closed(sink)
    return { ok: same(told, u32(size)) && same(answer, digest), ms }
  },

  async sequence (peerId, n) {
    const connection = direct(peerId)
    const bytes = pattern(32)
    let ok = true
    const { ms } = await timed(async () => {
      for (let i = 0; i < n; i++) ok &&= same(await echo(connection, bytes), bytes)
    })
    return { ok, ms }
  },

  async parallel (peerId, n) {
    const { ms, value: failed } = await timed(() => echoesAtOnce(direct(peerId), n, 1024))
    return { ok: failed === 0, ms, failed }
  },

  async dialAndBurst (address, n) {
    const failed = await echoesAtOnce(await freshDial(address, 30_000), n, 32)
    return { ok: failed === 0, failed }
  },

  async reset (peerId) {
    const { ms, value: seen } = await timed(async () => {
      const resetting = await stream(direct(peerId), RESET)
      const reader = new Reader(resetting)
      resetting.send(Uint8Array.of(1))
      return reader.all().then(() => false, () => true)
    })
    return { seen, ms }
  },

  async roundtrips (peerId, size, count, fresh) {
    const connection = direct(peerId)
    const bytes = pattern(size)
    const figures = []
    const measure = async (work) => {
      const { ms, value: answer } = await timed(work)
      if (answer == null || !same(answer, bytes)) throw new Error('another answer')
      figures.push(ms)
    }

    if (fresh) {
      for (let i = 0; i < count; i++) await measure(() => echo(connection, bytes))
      return figures
    }

    const pong = await stream(connection, PONG)
    const reader = new Reader(pong)
    await write(pong, u32(size))
    for (let i = 0; i < count; i++) {
      await measure(async () => {
        const [answer] = await Promise.all([reader.exactly(size), write(pong, bytes)])
        return answer
      })
    }
    await pong.close()
    await closed(pong)
    return figures
  },

  async closedAt (peerId) {
    const { ms } = await timed(() => until(['connection:close'], MINUTE, 'end of the /webrtc connections', () => !open(peerId).some(isDirect)))
    return ms
  },

  async log () {
    return lines
  }
}

function ownAddresses () {
  return node.getMultiaddrs().filter(address => has(address, 'webrtc')).map(String)
}

function plain (error) {
  const parts = error?.errors?.map(part => plain(part).message)
  if (parts?.length > 0) return new Error(parts.join('; '))
  const name = error?.name ?? 'Error'
  const message = String(error?.message ?? error)
  return new Error(name === 'Error' ? message : `${name}: ${message}`)
}

const consoleError = console.error
console.error = (...parts) => {
  lines.push(parts.map(part => part instanceof Error ? plain(part).message : String(part)).join(' '))
  consoleError(...parts)
}
addEventListener('error', event => lines.push(`error: ${event.message}`))
addEventListener('unhandledrejection', event => lines.push(`unhandled: ${plain(event.reason).message}`))

window.peer = Object.fromEntries(Object.entries(api).map(([name, method]) => [
  name,
  (...values) => method(...values).catch(error => { throw plain(error) })
]))
