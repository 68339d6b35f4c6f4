/**
 * Who comes, as the first thing that a gate process says on a connection: [length of names u32][length of CONNECT u32][names]
 * [CONNECT], little endian. Names are JSON; the CONNECT is read as strictly as that of a stranger.
 */
import { assert } from '../../../core/errors.ts'
import { isIdentityId } from '../../../core/identity/id.ts'
import { encodeConnect, parseConnect } from '../../../core/mqtt/connect.ts'
import { Violation } from '../../../core/mqtt/violation.ts'
import type { UpstreamClient } from '../../../hub/ports/upstream.ts'

const headBytes = 8

/** What the upstream is told beside the CONNECT. The password of a client has done its work and goes no further. */
interface Names extends Pick<UpstreamClient, 'identityId' | 'owner' | 'clientId' | 'keepAliveSec'> {
  readonly username: string | null
}

export function encodeIntroduction({ identityId, owner, clientId, connect, keepAliveSec }: UpstreamClient): Buffer {
  const names: Names = { identityId, owner, clientId, keepAliveSec, username: connect.username }
  const text = Buffer.from(JSON.stringify(names), 'utf8')
  const packet = encodeConnect(connect, { clientId, keepAliveSec })
  const head = Buffer.alloc(headBytes)
  head.writeUInt32LE(text.length, 0)
  head.writeUInt32LE(packet.length, 4)
  return Buffer.concat([head, text, packet])
}

/** Reads one from the beginning of the first bytes of a connection; `bytes` is its length. Throws where there is none. */
export function readIntroduction(first: Buffer): { readonly client: UpstreamClient; readonly bytes: number } {
  assert(first.length >= headBytes, 'a connection begins without an introduction')
  const packetAt = headBytes + first.readUInt32LE(0)
  const end = packetAt + first.readUInt32LE(4)
  assert(end <= first.length, 'an introduction is cut off')
  const names: unknown = JSON.parse(first.toString('utf8', headBytes, packetAt))
  assert(areNames(names), 'an introduction without its names')
  const { username, ...client } = names
  const connect = parseConnect(first.subarray(packetAt, end))
  assert(!(connect instanceof Violation), 'an introduction whose CONNECT is malformed')
  return { client: { ...client, connect: { ...connect, username } }, bytes: end }
}

function areNames(value: unknown): value is Names {
  if (typeof value !== 'object' || value === null) return false
  const { identityId, owner, clientId, keepAliveSec, username }: Readonly<Record<string, unknown>> = { ...value }
  if (typeof identityId !== 'string' || !isIdentityId(identityId)) return false
  const isNamed = isName(owner) && isName(clientId) && (username === null || isName(username))
  return isNamed && Number.isInteger(keepAliveSec) && Number(keepAliveSec) >= 0 && Number(keepAliveSec) <= 0xffff
}

/** What MQTT takes for text (5.0 §1.5.4). */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\u0000') && value.length <= 0xffff
}
