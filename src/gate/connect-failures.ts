/** Which endings of a connection before its session count against the address that it came from. */
import type { FailureName } from '../core/failure/catalogue.ts'
import { failure } from '../core/failure/catalogue.ts'
import type { Ending, GateContext } from './options.ts'

/** Counts one, unless it is the hub's own doing. */
export function noteFailure({ halfOpen }: Pick<GateContext, 'halfOpen'>, address: string, { code }: Ending): void {
  if (isOfTheHub(code)) return
  halfOpen.failed(address)
}

/** Refused for lack of room, or of a part of the hub: who comes again on account of that has done nothing wrong. */
function isOfTheHub(code: FailureName): boolean {
  const { kind, owner, stage } = failure(code)
  return owner === 'hub' || stage === 'hub' || kind === 'internal' || ofTheHub.has(code)
}

const ofTheHub: ReadonlySet<FailureName> = new Set([
  'too-many-handshakes',
  'too-many-connections',
  'too-many-sessions',
  'address-failing',
  'hub-stopping',
  'upstream-unavailable',
  'upstream-refused',
])
