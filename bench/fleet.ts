/** Devices with certificates: registered over the API, enrolled over EST as real ones are, kept in memory. */

import type { BootstrapView } from '../src/api-schema/views.ts'
import { openHub } from '../src/cli/api-client.ts'
import { parseBootstrap } from '../src/core/identity/bootstrap.ts'
import { Secret } from '../src/core/secret.ts'
import { encodePem } from '../src/core/x509/pem.ts'
import { certificateRequest, makeKey, publicKeyOf } from '../src/device/certificate-request.ts'
import { type AuthorityCertificates, fetchAuthority, simpleEnrol } from '../src/device/est-client.ts'
import { checkIssued } from '../src/device/issued-certificate.ts'

/** What a client needs to be a device; all texts are PEM. */
export interface Device {
  readonly id: string
  /** Leaf and issuing authority. */
  readonly cert: string
  readonly key: string
}

export interface Fleet {
  /** The root. */
  readonly ca: string
  readonly devices: readonly Device[]
}

const enrolmentsAtOnce = 8

/**
 * @param data data directory of a hub that runs
 * @param prefix what the ids begin with
 */
export async function enrolFleet(data: string, count: number, prefix = 'bench'): Promise<Fleet> {
  const api = openHub({ data, env: {}, directory: '/' })
  const devices: Device[] = []
  let authority: Promise<AuthorityCertificates> | null = null
  let next = 0
  const enrolNext = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const { bootstrap: text } = await api.post<BootstrapView>('/devices', { id: `${prefix}-${index}` })
      const bootstrap = parseBootstrap(new Secret(text))
      authority ??= fetchAuthority(bootstrap)
      const { root, others } = await authority
      const key = makeKey()
      const issued = await simpleEnrol(bootstrap, root, certificateRequest(bootstrap.id, key))
      const { chain } = checkIssued({
        certificates: [...issued, ...others],
        root,
        id: bootstrap.id,
        publicKey: publicKeyOf(key),
        nowMs: Date.now(),
      })
      devices[index] = {
        id: bootstrap.id,
        cert: chain.map(({ raw }) => encodePem('CERTIFICATE', raw)).join(''),
        key: key.reveal(),
      }
    }
  }
  await Promise.all(Array.from({ length: enrolmentsAtOnce }, enrolNext))
  if (authority === null) throw new Error('a fleet without devices')
  const { root } = await (authority as Promise<AuthorityCertificates>)
  return { ca: root.toString(), devices }
}
