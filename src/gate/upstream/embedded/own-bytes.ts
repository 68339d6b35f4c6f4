/** One message goes to many sessions, which share its copy. */
const copies = new WeakMap<Buffer, Buffer>()

/**
 * A copy of a payload in memory of its own, outside Node's pool. What the broker keeps is copied: payloads are views of the
 * buffer in which a whole turn of traffic came, and one kept byte would keep all of it.
 */
export function ownBytes(payload: Buffer | string): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload, 'utf8')
  const known = copies.get(payload)
  if (known !== undefined) return known
  const copy = Buffer.allocUnsafeSlow(payload.length)
  copy.set(payload)
  copies.set(payload, copy)
  copies.set(copy, copy)
  return copy
}
