import type { LintRule } from '../lint-rule.ts'

/** 128 bits in all, so that there is room for the 64 that must be random. */
const octetsMin = 16

/** Of 16 random octets fewer are different once in 10^13. */
const differentOctetsMin = 8

/** Two random numbers are nearer to each other once in 2^64. */
const distanceMin = 1n << 64n

export const serialNumberUnpredictable: LintRule = {
  name: 'serial-number-unpredictable',
  clause: 'CA/Browser Forum BR 7.1',
  reason:
    'at least 64 random bits keep a collision of hashes from being prepared; a counter or a broken generator has none',
  faultOf({ certificate: { serialNumber }, plan: { previousSerialNumber: previous } }) {
    const octets = Buffer.from(serialNumber, 'hex')
    if (octets.length < octetsMin) return `has a serial number of ${octets.length} octets`
    if (new Set(octets).size < differentOctetsMin) return `has the serial number ${serialNumber}, which is not random`
    return previous !== null && distance(serialNumber, previous) < distanceMin
      ? `has the serial number ${serialNumber}, which follows ${previous}`
      : null
  },
}

function distance(one: string, other: string): bigint {
  const difference = BigInt(`0x${one}`) - BigInt(`0x${other}`)
  return difference < 0n ? -difference : difference
}
