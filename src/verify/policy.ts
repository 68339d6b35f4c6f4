/** What a policy file gives to a peer, and whom certificates speak for by it. */
import type { CompiledPolicy } from '../core/policy/compile.ts'
import type { Policy } from '../core/policy/model.ts'
import type { Rights } from '../core/policy/rights.ts'
import type { Arrival, Peer } from './verdict.ts'

/** @throws HubError `policy-invalid`, with every problem and its place */
export async function readPolicyText(source: string): Promise<Policy> {
  // Whoever has no policy file needs no reader of YAML.
  const { parsePolicy } = await import('../core/policy/file/parse.ts')
  return parsePolicy(source)
}

export function rightsBy(compiled: CompiledPolicy, { identity, proof }: Peer, arrival: Arrival, nowMs: number): Rights {
  const { clientId = identity.id, listener = 'mqtt', address = 'unknown', tlsVersion = null } = arrival
  return compiled.rightsOf({ identity, proof, clientId, connection: { listener, address, tlsVersion } }, nowMs)
}
