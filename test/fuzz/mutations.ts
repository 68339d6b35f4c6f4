/** Changes to the bytes of a packet that parsers trip over: single bits, lengths, cuts, repeats, parts of other packets. */
import type { Seeded } from './seeded.ts'

/** A packet that is changed in one to three places. */
export function mutated(random: Seeded, packet: Buffer, other: Buffer): Buffer {
  let bytes = Buffer.from(packet)
  for (let i = 0; i <= random.below(3); i++) bytes = random.pick(mutations)(random, bytes, other)
  if (bytes.equals(packet)) bytes[random.below(bytes.length)] = random.below(256)
  // Half of them with a length that is right, so that the change reaches what lies behind the frame.
  return random.chance(0.5) ? framed(bytes) : bytes
}

type Mutation = (random: Seeded, bytes: Buffer<ArrayBuffer>, other: Buffer) => Buffer<ArrayBuffer>

/** Values at which something changes: ends of ranges, wildcards, NUL, what starts a longer character, surrogates. */
const telling = [0, 1, 2, 3, 0x1f, 0x20, 0x23, 0x24, 0x2b, 0x2f, 0x7f, 0x80, 0xc0, 0xc1, 0xed, 0xf4, 0xf5, 0xfe, 0xff]

const mutations: readonly Mutation[] = [
  (random, bytes) => set(bytes, random.below(bytes.length), (byte) => byte ^ (1 << random.below(8))),
  (random, bytes) => set(bytes, random.below(bytes.length), () => random.pick(telling)),
  (random, bytes) => set(bytes, random.below(bytes.length), () => random.below(256)),
  (random, bytes) => set(bytes, 0, () => random.below(256)),
  (random, bytes) => set(bytes, Math.min(1, bytes.length - 1), () => random.below(256)),
  // The fields that say lengths and identifiers stand in front.
  (random, bytes) => set(bytes, random.below(Math.min(16, bytes.length)), (byte) => byte + random.below(5) - 2),
  (random, bytes) => {
    const at = random.below(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(4)), bytes.subarray(at)])
  },
  (random, bytes) => {
    const at = random.below(bytes.length)
    return orOne(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(4))]))
  },
  (random, bytes) => orOne(Buffer.from(bytes.subarray(0, random.below(bytes.length) + 1))),
  (random, bytes) => {
    const from = random.below(bytes.length)
    const part = bytes.subarray(from, from + 1 + random.below(12))
    const at = random.below(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
  },
  (random, bytes, other) => {
    const from = random.below(other.length)
    return Buffer.concat([bytes.subarray(0, random.below(bytes.length) + 1), other.subarray(from)])
  },
  (random, bytes) => Buffer.concat([bytes.subarray(0, 1), overlongLength(random), bytes.subarray(2)]),
  // Options of a subscription, and what ends a list.
  (random, bytes) => set(bytes, bytes.length - 1, () => random.pick([...telling, 4, 0x0c, 0x30, 0x40])),
  // Within a topic or a filter.
  (random, bytes) => {
    const at = bytes.indexOf('pump-7')
    return set(bytes, (at < 0 ? 0 : at + random.below(10)) % bytes.length, () => random.pick(telling))
  },
  // Behind a field that says a length, with that length made right: most often the properties.
  (random, bytes) => {
    const at = random.below(bytes.length)
    const added = random.pick(properties)
    const grown = Buffer.concat([bytes.subarray(0, at + 1), added, bytes.subarray(at + 1)])
    return set(grown, at, (byte) => byte + added.length)
  },
]

const properties: readonly Buffer[] = [
  Buffer.of(0x01, 1),
  Buffer.of(0x01, 2),
  Buffer.of(0x02, 0, 0, 0, 9, 0x02, 0, 0, 0, 9),
  Buffer.of(0x03, 0, 1, 0x63),
  Buffer.of(0x08, 0, 1, 0x23),
  Buffer.of(0x09, 0, 0),
  Buffer.of(0x0b, 0),
  Buffer.of(0x0b, 1, 0x0b, 2),
  Buffer.of(0x11, 0, 0, 0, 1),
  Buffer.of(0x1f, 0, 2, 0xc3, 0x28),
  Buffer.of(0x21, 0, 0),
  Buffer.of(0x23, 0, 0),
  Buffer.of(0x23, 0, 1),
  Buffer.of(0x26, 0, 1, 0x61, 0, 1, 0),
  Buffer.of(0x26, 0, 0, 0, 0),
  Buffer.of(0x7f, 1),
]

function set(bytes: Buffer<ArrayBuffer>, at: number, change: (byte: number) => number): Buffer<ArrayBuffer> {
  bytes[at] = change(bytes[at] ?? 0) & 0xff
  return bytes
}

function orOne(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  return bytes.length > 0 ? bytes : Buffer.alloc(1)
}

function overlongLength(random: Seeded): Buffer {
  return random.pick([Buffer.of(0x80, 0), Buffer.of(0xff, 0xff, 0xff, 0xff, 1), Buffer.of(0xff, 0xff, 0xff, 0x7f)])
}

/** The bytes with a remaining length that says how many follow. */
function framed(bytes: Buffer): Buffer {
  let at = 1
  while (at < 4 && (bytes[at] ?? 0) >= 0x80) at++
  const body = bytes.subarray(at + 1)
  const length: number[] = []
  let rest = body.length
  do {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([bytes.subarray(0, 1), Buffer.from(length), body])
}
