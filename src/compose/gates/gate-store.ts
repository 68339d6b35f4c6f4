/** The folder of a gate's credential as a renewal uses it. What waits for its proof is kept in memory: after a crash it is asked for again. */
import { assert } from '../../core/errors.ts'
import { type CredentialFolder, openCredentialFolder } from '../../device/credential-folder.ts'
import type { AgentStore } from '../../device/renewal/agent.ts'

export interface GateStore extends AgentStore {
  /** Path of the roots. */
  readonly caPath: string
}

type Waiting = Parameters<CredentialFolder['install']>[0]

/** @throws HubError `store-unwritable` */
export function openGateStore(path: string): GateStore {
  const folder = openCredentialFolder(path)
  let next: Waiting | null = null
  return {
    path: folder.path,
    caPath: folder.files.ca,
    current: () => folder.held(),
    next: () =>
      next === null ? null : { certificate: next.chain[0] as NonNullable<Waiting['chain'][0]>, hub: next.hub },
    tlsIdentity(slot) {
      if (slot === 'current') return folder.tlsIdentity()
      return next === null ? null : { key: next.keyPem, chain: next.chain.map(String).join('') }
    },
    roots: () => folder.roots(),
    replaceRoots: (roots) => folder.replaceRoots(roots),
    waitingKey: (id) => folder.waitingKey(id),
    keepWaitingKey: (id, keyPem) => folder.keepWaitingKey(id, keyPem),
    prepareNext({ id, hub, ...credential }) {
      assert(id !== null && hub !== null, 'a renewal without the hub that it is for')
      next = { ...credential, id, hub }
    },
    promote() {
      if (next !== null) folder.install(next)
      next = null
    },
    rollBack() {
      next = null
    },
    lastGoodTimeMs: () => null,
    noteTime() {},
  }
}
