/** A hub whose listener of EST answers verifiers, over real TLS, and a verifier of it. */
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import { isFailureName } from '../../src/core/failure/catalogue.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { addVerifierRoutes } from '../../src/http/verifier/verifier-routes.ts'
import { verifierAdmission } from '../../src/hub/admit.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { followEvents } from '../../src/hub/follow-events.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { registerIdentity } from '../../src/hub/register-identity.ts'
import { VerifierChanges } from '../../src/hub/verifiers/changes.ts'
import { type HubOptions, verifyByHub } from '../../src/verify/by-hub.ts'
import type { HubConnection } from '../../src/verify/hub/connection.ts'
import type { Verifier } from '../../src/verify/verifier.ts'
import { assertAsDocumented } from '../http/api-parts.ts'
import { type Listener, listener, type Shown, shownBy } from '../http/est-listener.ts'
import { deviceRequest } from '../support/hub-parts.ts'

export interface HubBed extends Listener {
  readonly shown: Shown
  readonly changes: VerifierChanges
  /** Questions so far, by path. */
  readonly asked: string[]
  /** While true nobody answers. */
  silent: boolean
  connection(shown?: Shown | null): HubConnection
  verifier(options?: Partial<HubOptions>): Promise<Verifier>
}

export async function hubBed(t: TestContext): Promise<HubBed> {
  const changes = new VerifierChanges('epoch')
  const est = await listener(t, ({ hub, app, attempts, limiter }) => {
    addVerifierRoutes(app, {
      ...{ hub, admission: verifierAdmission(hub), changes, limiter },
      attempts: { record: (attempt) => void attempts.push(attempt) },
    })
  })
  const { hub } = est
  const follower = followEvents(hub, await hub.store.events.last(), (event) => changes.noted(event))
  t.after(() => follower.stop())
  t.after(() => changes.stop())
  const shown = await service(est, 'shop', 'verifier')
  const bed: HubBed = {
    ...{ ...est, shown, changes, asked: [] as string[], silent: false },
    connection: (shows = shown) => connectionTo(bed, t, shows),
    async verifier(options = {}) {
      const verifier = await verifyByHub({
        ...{ hub: { host: 'localhost', tls: () => ({ ca: '', cert: '', key: '' }) }, connection: bed.connection() },
        ...{ nowMs: () => hub.clock.nowMs(), ...options },
      })
      t.after(() => verifier.close())
      return verifier
    },
  }
  return bed
}

/** A service with a certificate of that profile. */
export async function service({ hub }: Listener, name: string, profile: string): Promise<Shown> {
  const id = parseIdentityId(name)
  const names = { dnsNames: [`${name}.plant.example`], ipAddresses: [], emails: [] }
  await registerIdentity(hub, hub.actor, {
    kind: 'service',
    id,
    group: null,
    attributes: {},
    names,
    profiles: [profile],
  })
  const { tokenText } = await grantToken(hub, hub.actor, id, 3_600, { profile }, 'service')
  const { key, certificateRequest } = deviceRequest(name)
  const { certificate } = await enrol(hub, { tokenText, claimedId: id, certificateRequest })
  return shownBy(key, certificate)
}

/** As the real one, without a look at the dates of the hub's certificate: its clock stands. */
function connectionTo(bed: HubBed, t: TestContext, shown: Shown | null): HubConnection {
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const { port } = bed.app.server.address() as AddressInfo
  const options = { host: '127.0.0.1', port, agent, rejectUnauthorized: false, ...shown }
  return {
    async ask(path, timeMs, signal) {
      bed.asked.push(path)
      if (bed.silent) throw new HubError('verify-hub-silent', 'silence')
      const ends = AbortSignal.any([AbortSignal.timeout(timeMs), ...(signal === undefined ? [] : [signal])])
      const answer = await new Promise<{ statusCode: number; headers: NodeJS.Dict<string | string[]>; body: string }>(
        (resolve, reject) => {
          request({ ...options, path, signal: ends }, (incoming) => {
            let body = ''
            incoming.setEncoding('utf8')
            incoming.on('data', (text: string) => {
              body += text
            })
            incoming.on('end', () => resolve({ statusCode: incoming.statusCode ?? 0, headers: incoming.headers, body }))
          })
            .on('error', reject)
            .end()
        },
      )
      assertAsDocumented('GET', path, answer)
      const said = JSON.parse(answer.body) as { readonly code: string; readonly detail: string }
      if (answer.statusCode === 200) return said
      throw new HubError(isFailureName(said.code) ? said.code : 'internal', said.detail)
    },
    close: () => agent.destroy(),
  }
}

export function derOf({ cert }: Shown): Uint8Array {
  const base64 = cert.replaceAll(/-----[^-]+-----|\s/g, '')
  return new Uint8Array(Buffer.from(base64, 'base64'))
}
