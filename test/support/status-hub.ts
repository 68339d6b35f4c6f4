/** A hub that tells the status of certificates on a port of its own, by the clock of this machine. */
import { createPrivateKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Credential, RevocationReason } from '../../src/core/identity/credential.ts'
import { parseIdentityId, parseRealm } from '../../src/core/identity/id.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { statusServer } from '../../src/http/status/status-server.ts'
import { ocspAnswerer } from '../../src/hub/answer-ocsp.ts'
import { revokeCertificate } from '../../src/hub/change-identity.ts'
import { statusPlaces } from '../../src/hub/crl-places.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { EnrolmentRates } from '../../src/hub/enrolment-rates.ts'
import { establishAuthorities } from '../../src/hub/establish-authorities.ts'
import { keepOcspResponders } from '../../src/hub/ocsp-responders.ts'
import { silentObserver } from '../../src/hub/ports/observer.ts'
import type { StatusPlaces } from '../../src/hub/ports/status-places.ts'
import { keepCrlsFresh } from '../../src/hub/refresh-crls.ts'
import { registerDevice } from '../../src/hub/register-device.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { systemClock, systemRandom } from '../../src/machine/system.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { deviceRequest, LogBook, MemoryKeys } from './hub-parts.ts'

export interface StatusHub {
  readonly folder: string
  /** Without a slash at its end. */
  readonly base: string
  /** The issuing authority's id. */
  readonly authorityId: string
  /** Files in PEM. */
  readonly root: string
  readonly issuing: string
  /** Chain and key of a server on localhost. */
  readonly server: { readonly certificate: string; readonly key: string }
  /**
   * A certificate of a new device: the credential, and certificate and key as files.
   *
   * @param base another address of this hub: certificates that name it have a shard of their own
   */
  device(
    id: string,
    base?: string,
  ): Promise<{ readonly credential: Credential; readonly certificate: string; readonly key: string }>
  revoke(credential: Credential, reason: RevocationReason): Promise<void>
  /** Fetches over HTTP and writes what came, as PEM of that label. */
  fetched(path: string, name: string, label: string): Promise<string>
  /** What is told after everything that was revoked so far. */
  settled(): Promise<void>
}

export async function startStatusHub(
  context: { after(step: () => unknown): unknown },
  folder: string,
): Promise<StatusHub> {
  const [clock, random, observer, log] = [systemClock, systemRandom, silentObserver, new LogBook()]
  const store = await openSqliteStore({ path: join(folder, 'hub.db'), clock })
  context.after(() => store.close())
  const keys = new MemoryKeys()
  const realm = parseRealm('plant.example')
  const parts = { store, keys, clock, random, observer, log, realm, instance: null, rates: new EnrolmentRates(clock) }
  const authorities = await establishAuthorities(parts)
  const crls = keepCrlsFresh({ ...parts, authorities })
  context.after(() => crls.stop())
  const responders = keepOcspResponders({ ...parts, authorities })
  context.after(() => responders.stop())
  const ocsp = ocspAnswerer({ store, clock, log, responders })
  const app = statusServer({
    ...{ authorities, ocsp, clock, log, crl: (scope) => crls.current(scope) },
    readiness: { judge: async () => ({ isReady: true, reasons: [] }) },
  })
  context.after(() => app.close())
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  const places = new Map<string, StatusPlaces>()
  const placesAt = (address: string): StatusPlaces => {
    const known = places.get(address) ?? statusPlaces({ store }, address)
    places.set(address, known)
    return known
  }
  const hub = { ...parts, authorities, statusPlaces: placesAt(base) }
  const server = await currentServerCertificate(hub, { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] })
  await responders.look()
  const issuing = authorities.issuing()

  const kept = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const written = (name: string, label: string, der: Uint8Array): string => kept(name, encodePem(label, der))
  let position = await store.events.last()
  return {
    ...{ folder, base, authorityId: issuing.id },
    root: written('root.pem', 'CERTIFICATE', authorities.root().certificate),
    issuing: written('issuing.pem', 'CERTIFICATE', issuing.certificate),
    server: { certificate: kept('server.pem', server.chain), key: kept('server.key', server.key.reveal()) },
    async device(id, otherBase = base) {
      const grant = { id, group: null, attributes: {}, tokenLifetimeSec: 3_600 }
      const { tokenText } = await registerDevice(hub, 'key:test', grant)
      const { key, certificateRequest } = deviceRequest(parseIdentityId(id))
      const credential = await enrol(
        { ...hub, statusPlaces: placesAt(otherBase) },
        { tokenText, claimedId: '', certificateRequest },
      )
      const der = createPrivateKey(key.reveal()).export({ type: 'pkcs8', format: 'der' })
      return {
        credential,
        certificate: written(`${id}.pem`, 'CERTIFICATE', credential.certificate),
        key: written(`${id}.key`, 'PRIVATE KEY', der),
      }
    },
    async revoke({ serialNumber }, reason) {
      await revokeCertificate(hub, 'key:test', serialNumber, reason)
    },
    async fetched(path, name, label) {
      const answer = await fetch(`${base}${path}`)
      if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`)
      return written(name, label, new Uint8Array(await answer.arrayBuffer()))
    },
    async settled() {
      const events = await store.events.after(position, 1_000)
      position = events.at(-1)?.number ?? position
      for (const event of events) {
        ocsp.noted(event)
        crls.noted(event)
      }
      await crls.settle()
    },
  }
}
