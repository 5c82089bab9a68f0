// What the page does with a stream: the reading side, the writing side, and the protocols' responders.

export const ECHO = '/interop/echo/1'
export const SINK = '/interop/sink/1'
export const RESET = '/interop/reset/1'
export const PONG = '/interop/pong/1'

const PIECE = 64 * 1024

/** Collects what arrives on a stream from the moment it is made. */
export class Reader {
  #parts = []
  #size = 0
  #done = false
  #error
  #wake = () => {}

  constructor (stream) {
    stream.addEventListener('message', ({ data }) => {
      this.#parts.push(...(data instanceof Uint8Array ? [data] : data))
      this.#size += data.byteLength
      this.#wake()
    })

    const end = (error) => {
      if (!this.#done && (stream.status === 'reset' || stream.status === 'aborted')) {
        error ??= new Error(`the stream was ${stream.status}`)
      }
      this.#error ??= error
      this.#done = true
      this.#wake()
    }
    stream.addEventListener('end', () => end())
    stream.addEventListener('close', (event) => end(event.error))
    if (stream.readableEnded) end()
  }

  /** The next n bytes; null if the stream ended cleanly before the first of them. */
  async exactly (n) {
    while (this.#size < n) {
      if (this.#error != null) throw this.#error
      if (this.#done && this.#size === 0) return null
      if (this.#done) throw new Error(`the stream ended ${n - this.#size} bytes early`)
      await this.#more()
    }
    return this.#take(n)
  }

  /** Everything up to the end of the stream. */
  async all () {
    while (!this.#done) await this.#more()
    if (this.#error != null) throw this.#error
    return this.#take(this.#size)
  }

  #more () {
    return new Promise(resolve => { this.#wake = resolve })
  }

  #take (n) {
    const bytes = new Uint8Array(n)
    let at = 0
    let used = 0
    while (at < n) {
      const part = this.#parts[used]
      const piece = part.subarray(0, n - at)
      bytes.set(piece, at)
      at += piece.length
      if (piece.length < part.length) this.#parts[used] = part.subarray(piece.length)
      else used++
    }
    this.#parts.splice(0, used)
    this.#size -= n
    return bytes
  }
}

// Not stream.onDrain(): after its first use that returns at once.
function drained (stream) {
  return new Promise((resolve, reject) => {
    const drain = () => { stop(); resolve() }
    const close = (event) => { stop(); reject(event.error ?? new Error('the stream closed while writing')) }
    const stop = () => {
      stream.removeEventListener('drain', drain)
      stream.removeEventListener('close', close)
    }
    stream.addEventListener('drain', drain)
    stream.addEventListener('close', close)
  })
}

export async function write (stream, bytes) {
  for (let at = 0; at < bytes.length; at += PIECE) {
    if (!stream.send(bytes.subarray(at, at + PIECE))) await drained(stream)
  }
}

/** Writes all, closes the write half and returns the whole answer. */
export async function exchange (stream, bytes) {
  const reader = new Reader(stream)
  const send = async () => {
    await write(stream, bytes)
    await stream.close()
  }
  const [answer] = await Promise.all([reader.all(), send()])
  return answer
}

export function closed (stream) {
  if (stream.status === 'closed' || stream.status === 'aborted' || stream.status === 'reset') return
  return new Promise(resolve => stream.addEventListener('close', resolve, { once: true }))
}

export async function sha256 (bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

export function same (a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Bytes that look random, the same ones every time (xorshift32 from 1). */
export function pattern (size) {
  const words = new Uint32Array(Math.ceil(size / 4))
  let x = 1
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  return new Uint8Array(words.buffer, 0, size)
}

export function u32 (value) {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

export const responders = {
  async [ECHO] (stream) {
    await write(stream, await new Reader(stream).all())
    await stream.close()
  },

  async [SINK] (stream) {
    const bytes = await new Reader(stream).all()
    await write(stream, u32(bytes.length))
    await write(stream, await sha256(bytes))
    await stream.close()
  },

  async [RESET] (stream) {
    await new Reader(stream).exactly(1)
    stream.abort(new Error('reset as asked'))
  },

  async [PONG] (stream) {
    const reader = new Reader(stream)
    const head = await reader.exactly(4)
    const size = head == null ? 0 : new DataView(head.buffer).getUint32(0)
    let message = size > 0 ? await reader.exactly(size) : null
    while (message != null) {
      await write(stream, message)
      message = await reader.exactly(size)
    }
    await stream.close()
  }
}
