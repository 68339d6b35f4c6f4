/** A machine that is a list of files, with an authority and a server certificate, for configurations that are judged on it. */
import { sign } from 'node:crypto'
import { readCertificate } from '../../../src/core/x509/certificate.ts'
import { crlToBeSigned, signedCrl } from '../../../src/core/x509/crl.ts'
import {
  basicConstraints,
  extendedKeyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from '../../../src/core/x509/extensions.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { encodePem } from '../../../src/core/x509/pem.ts'
import { keyIdentifier } from '../../../src/core/x509/public-key.ts'
import type { Examination } from '../../../src/doctor/finding.ts'
import { examineConfiguration } from '../../../src/doctor/mosquitto/examine-configuration.ts'
import type { Account, Found, Machine, Rights } from '../../../src/doctor/mosquitto/machine.ts'
import { type OwnCertificate, ownCertificate } from '../../support/own-certificate.ts'

export const nowSec = 1_800_000_000
const daySec = 86_400

const rightsOf = (mode: number, uid = 0, gid = 105): Rights => ({ mode, uid, gid })
export const brokerAccount: Account = { name: 'mosquitto', uid: 102, gids: [105] }

/** A file that is not what {@link machineOf} makes of a text: mode 0640, of root and the group of the broker. */
export interface SpecialFile {
  readonly content: string | Uint8Array
  readonly mode?: number
  readonly gid?: number
}

export type Files = Readonly<Record<string, string | Uint8Array | SpecialFile>>

export function machineOf(files: Files, account: Account | null = brokerAccount): Machine {
  return {
    nowSec,
    account: (name) => (account?.name === name ? account : null),
    look(path, bytesMax): Found {
      const folders = [rightsOf(0o755, 0, 0)]
      const names = Object.keys(files)
        .filter((each) => each.startsWith(`${path}/`))
        .map((each) => each.slice(path.length + 1))
      if (names.length > 0) return { kind: 'folder', names, rights: rightsOf(0o755), folders }
      const file = files[path]
      if (file === undefined) return { kind: 'absent' }
      const {
        content,
        mode = 0o640,
        gid,
      } = typeof file === 'string' || file instanceof Uint8Array ? { content: file } : file
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      if (bytes.length > bytesMax) return { kind: 'closed', why: `is longer than ${bytesMax} bytes` }
      return { kind: 'file', bytes, rights: rightsOf(mode, 0, gid), folders }
    },
  }
}

const validity = { notBeforeSec: nowSec - 30 * daySec, notAfterSec: nowSec + 300 * daySec }

export function authority(name: string, dates = validity, issuer?: OwnCertificate): OwnCertificate {
  return ownCertificate(name, {
    validity: dates,
    ...(issuer === undefined ? {} : { issuer }),
    extensions: (spki) => [basicConstraints(1), subjectKeyIdentifier(keyIdentifier(spki))],
  })
}

interface ServerOptions {
  readonly dates?: { readonly notBeforeSec: number; readonly notAfterSec: number }
  readonly usage?: string
  readonly names?: readonly string[]
}

export function serverCertificate(issuer: OwnCertificate, options: ServerOptions = {}): OwnCertificate {
  const { dates = validity, usage = oids.serverAuth, names = ['broker.example'] } = options
  return ownCertificate('broker.example', {
    issuer,
    validity: dates,
    extensions: [
      ...(names.length === 0
        ? []
        : [subjectAltName({ uris: [], dnsNames: names, ipAddresses: [], emails: [] }, false)]),
      extendedKeyUsage([usage]),
    ],
  })
}

export function crlOf(
  issuer: OwnCertificate,
  thisUpdateSec = nowSec - daySec,
  nextUpdateSec = nowSec + 6 * daySec,
  signer = issuer,
): string {
  const content = { issuer: readCertificate(issuer.der), distributionPoint: null, number: 1n, revoked: [] }
  const tbs = crlToBeSigned({ ...content, thisUpdateSec, nextUpdateSec })
  return encodePem('X509 CRL', signedCrl(tbs, sign('sha256', tbs, signer.privateKey)))
}

export function keyPem({ privateKey }: OwnCertificate): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export const acme = authority('ACME')
export const server = serverCertificate(acme)

/** The files of a listener that is as it should be. */
export const goodFiles: Files = {
  '/m/ca.pem': acme.pem,
  '/m/server.pem': server.pem,
  '/m/server.key': keyPem(server),
  '/m/crl.pem': crlOf(acme),
  '/m/acl': 'pattern readwrite devices/%u/#\n',
}

/** The lines of a listener that is as it should be, each to be left out or put in otherwise. */
export const goodLines = {
  listener: 'listener 8883',
  certfile: 'certfile /m/server.pem',
  keyfile: 'keyfile /m/server.key',
  cafile: 'cafile /m/ca.pem',
  crlfile: 'crlfile /m/crl.pem',
  require: 'require_certificate true',
  identity: 'use_identity_as_username true',
  acl: 'acl_file /m/acl',
} as const

/** @param changes lines in place of those of {@link goodLines}; null leaves one out */
export function goodConfiguration(
  changes: Partial<Record<keyof typeof goodLines, string | null>> = {},
  ...more: readonly string[]
): string {
  const lines = Object.entries({ ...goodLines, ...changes }).map(([, line]) => line)
  return [...lines.filter((line) => line !== null), ...more, ''].join('\n')
}

export function examined(
  configuration: string,
  files: Files = {},
  account: Account | null = brokerAccount,
): Examination {
  return examineConfiguration(
    '/m/mosquitto.conf',
    machineOf({ ...goodFiles, ...files, '/m/mosquitto.conf': configuration }, account),
  )
}
