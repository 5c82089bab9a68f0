// js-libp2p wants Node 22; on Node 20 this is all that the relay misses. To be imported first.

Promise.withResolvers ??= () => {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}
