// A js-libp2p relay over WebSockets on the loopback. It prints `LISTEN <address>` when ready and ends with its stdin.
// Relayed connections have no limits; with --limited it announces some, too large to matter, as other relays do.

import './node20.mjs'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

const MANY = 10_000
const DAY_IN_SECONDS = 86_400

// The server takes milliseconds here and sends the number as it is; clients read seconds, as the specification says.
const limits = process.argv.includes('--limited')
  ? { defaultDurationLimit: DAY_IN_SECONDS * 1000, defaultDataLimit: 1n << 40n }
  : { applyDefaultLimit: false }

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
  transports: [webSockets()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux({ maxInboundStreams: MANY, maxOutboundStreams: MANY, maxEarlyStreams: 1000 })],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionManager: {
    maxConnections: MANY,
    inboundConnectionThreshold: Infinity,
    maxIncomingPendingConnections: MANY
  },
  // A client that is busy for some seconds is not a dead one.
  connectionMonitor: { pingTimeout: { minTimeout: 20_000 } },
  services: {
    identify: identify({ maxInboundStreams: 64, maxOutboundStreams: 64 }),
    ping: ping({ maxInboundStreams: 64, maxOutboundStreams: 64 }),
    relay: circuitRelayServer({
      hopTimeout: 60_000,
      maxInboundHopStreams: MANY,
      maxOutboundHopStreams: MANY,
      maxOutboundStopStreams: MANY,
      reservations: { maxReservations: MANY, ...limits }
    })
  }
})

console.log(`LISTEN ${node.getMultiaddrs()[0]}`)

process.stdin.on('close', () => process.exit(0)).on('end', () => process.exit(0)).resume()
