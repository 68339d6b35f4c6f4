/**
 * Certificates issued in this process, without HTTP and TLS: by the code of the hub, on a SQLite registry that syncs every
 * commit. Devices are registered, keys and requests made before; the clock of the measurement does not see them.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseIdentityId, parseRealm } from '../../src/core/identity/id.ts'
import type { Identity } from '../../src/core/identity/identity.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { certificateContent } from '../../src/core/profile/certificate-content.ts'
import { emptyOrder } from '../../src/core/profile/order.ts'
import { assertRequestFits } from '../../src/core/profile/request-check.ts'
import { Secret } from '../../src/core/secret.ts'
import { parseCertificateRequest, verifyCertificateRequest } from '../../src/core/x509/certificate-request.ts'
import { assertAcceptableKey } from '../../src/core/x509/public-key.ts'
import { certificateRequest, makeKey } from '../../src/device/certificate-request.ts'
import { mainChain } from '../../src/hub/authorities.ts'
import { statusPlaces } from '../../src/hub/crl-places.ts'
import { establishAuthorities } from '../../src/hub/establish-authorities.ts'
import { completeCredential, issueCredential } from '../../src/hub/issue-credential.ts'
import { issueForOperator, type OperatorIssuanceHub } from '../../src/hub/issue-for-operator.ts'
import { silentObserver } from '../../src/hub/ports/observer.ts'
import { registerDevice } from '../../src/hub/register-device.ts'
import { openKeyFolder } from '../../src/keys/file/key-folder.ts'
import { systemClock, systemRandom } from '../../src/machine/system.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { many } from './many.ts'
import type { Tasks } from './tasks.ts'

let opened: { readonly folder: string; readonly hub: Promise<OperatorIssuanceHub> } | null = null

interface Prepared {
  readonly identity: Identity
  /** PKCS#10 in DER. */
  readonly csr: Uint8Array
}

export async function issueMany({
  folder,
  way,
  prefix,
  count,
  atOnce,
}: Tasks['issue']['request']): Promise<Tasks['issue']['answer']> {
  if (opened?.folder !== folder) opened = { folder, hub: openIn(folder) }
  const hub = await opened.hub
  const prepared = await prepare(hub, prefix, count)
  const issue = ways[way]
  const latenciesMs: number[] = []
  const issued: string[] = []
  const before = process.cpuUsage()
  const seconds = await many(count, atOnce, async (index) => {
    const one = prepared[index]
    if (one === undefined) return
    const startMs = performance.now()
    issued[index] = await issue(hub, one)
    latenciesMs.push(performance.now() - startMs)
  })
  const { user, system } = process.cpuUsage(before)
  for (const [index, { identity }] of prepared.entries()) {
    const stored = await hub.store.credentials.findBySerial(issued[index] ?? '')
    if (stored?.identityId !== identity.id || stored.state !== 'pending') {
      throw new Error(`the certificate of ${identity.id} is not stored`)
    }
  }
  return { seconds, cpuMicros: user + system, latenciesMs }
}

const ways: Readonly<
  Record<Tasks['issue']['request']['way'], (hub: OperatorIssuanceHub, one: Prepared) => Promise<string>>
> = {
  /** Request to stored certificate, with event and audit entries: what every way of issuing has in common. */
  async signing(hub, { identity, csr }) {
    const request = parseCertificateRequest(csr)
    assertAcceptableKey(request.publicKey, deviceProfile)
    verifyCertificateRequest(request)
    const content = certificateContent(deviceProfile, identity, hub.realm)
    assertRequestFits(request, content)
    const { publicKey } = request
    const credential = await issueCredential(hub, {
      ...{ authority: hub.authorities.issuing(), content, tokenId: null, publicKey, actor: 'bench' },
    })
    const { identityId, fingerprint, serialNumber } = credential
    await hub.store.write(async (tx) => {
      await completeCredential(tx, hub.clock, credential)
      await tx.events.append({ type: 'credential-issued', identityId, fingerprint, serialNumber })
      await tx.audit.append({
        ...{ atMs: hub.clock.nowMs(), actor: 'bench', act: 'credential.issue', subject: identityId, before: null },
        after: { serialNumber },
      })
    })
    return serialNumber
  },
  /** An operator's whole order: also who it is for, what they are granted, and whether it was asked before. */
  async order(hub, { identity, csr }) {
    const { id } = identity
    const request = { id, profile: 'device', certificateRequest: csr, order: emptyOrder, chain: mainChain }
    return (await issueForOperator(hub, 'bench', request)).credential.serialNumber
  },
}

async function openIn(folder: string): Promise<OperatorIssuanceHub> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const [clock, random] = [systemClock, systemRandom]
  const store = await openSqliteStore({ path: join(folder, 'handfast.db'), clock })
  const keys = await openKeyFolder({ folder: join(folder, 'keys'), passphrase: new Secret('of the bench') })
  const realm = parseRealm('bench.example')
  const authorities = await establishAuthorities({ store, keys, clock, random, realm })
  const places = statusPlaces({ store }, 'http://bench.example:8080')
  return { store, clock, random, realm, authorities, observer: silentObserver, statusPlaces: places }
}

async function prepare(hub: OperatorIssuanceHub, prefix: string, count: number): Promise<Prepared[]> {
  const registrations = Array.from({ length: count }, async (_, index) => {
    const id = parseIdentityId(`${prefix}-${index}`)
    const { identity } = await registerDevice(hub, 'bench', {
      ...{ id, group: null, attributes: {}, tokenLifetimeSec: 86_400 },
    })
    return { identity, csr: certificateRequest(id, makeKey()) }
  })
  return Promise.all(registrations)
}
