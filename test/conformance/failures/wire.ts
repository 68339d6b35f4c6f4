/** A TCP connection on its way to the hub, as a proxy or a bad cable would have it. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { Bed } from './bed.ts'

export interface WireOptions {
  /** Where it is entered; a loopback address. */
  readonly host?: string
  /** Changes what the hub sends; records of TLS 1.2 with data or an alert begin with 0x17 and 0x15. */
  readonly change?: (chunk: Buffer) => void
}

/** @returns the port */
export async function openWire(bed: Bed, { host = '127.0.0.1', change }: WireOptions): Promise<number> {
  const wire = createServer((near) => {
    const far = connect(bed.hub.mqtt.port, '127.0.0.1')
    near.pipe(far)
    far.on('data', (chunk: Buffer) => {
      change?.(chunk)
      near.write(chunk)
    })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => other.end())
    }
  }).listen(0, host)
  await once(wire, 'listening')
  bed.context.after(() => wire.close())
  return (wire.address() as AddressInfo).port
}
