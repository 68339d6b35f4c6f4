/** The files of a device that were named beside an address: what the device shows there and trusts is shown and trusted. */
import { quote } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { lookAt } from '../../doctor/files/examine-files.ts'
import type { ClientPair } from '../../doctor/probe/handshake.ts'
import type { ProbeOptions } from '../../doctor/probe/options.ts'
import type { DoctorOptions } from './examine.ts'
import { questions } from './files.ts'
import { isBrokerConfiguration } from './thing.ts'

/** What of the files goes into a probe, and how a person is told of it. */
export interface OwnPair {
  readonly pair: ClientPair | null
  /** In PEM; null where the files hold none. */
  readonly authorities: readonly string[] | null
  readonly told: string
}

/**
 * @param paths files and folders that are there, and were looked at already
 * @returns null where they hold nothing of a device
 */
export function ownPairIn(paths: readonly string[], options: DoctorOptions): OwnPair | null {
  const asked = questions(
    paths.filter((path) => !isBrokerConfiguration(path)),
    options,
  )
  const devices = asked
    .map((question) => ({ subject: question.subject, parts: lookAt(question).parts }))
    .filter(({ parts }) => parts.keys.length > 0 || parts.all.length > 0)
  const [device, another] = devices
  if (device === undefined) return null
  const nothing = { pair: null, authorities: null }
  if (another !== undefined) {
    return { ...nothing, told: 'no certificate, since files of several devices are named: give --cert and --key' }
  }
  const { subject, parts } = device
  const authorities = parts.roots.length === 0 ? null : parts.roots.map(({ certificate }) => String(certificate))
  const { leaf, key, sent } = parts
  if (leaf === null || key === null || key.key === null) {
    return { pair: null, authorities, told: `no certificate: none in ${quote(subject)} has a key there that opens` }
  }
  const above = sent.filter((each) => each !== leaf)
  const pem = key.key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const chain = [leaf, ...above].map(({ certificate }) => String(certificate)).join('')
  return { pair: { key: new Secret(pem), chain }, authorities, told: `the certificate in ${quote(leaf.file.name)}` }
}

/** The options of a probe with what is known from files; what was given for the probe itself goes before. */
export function withOwnPair(read: ProbeOptions, own: OwnPair | null, { cert, cafile }: DoctorOptions): ProbeOptions {
  if (own === null) return read
  const isTrustGiven = cafile !== undefined || own.authorities === null
  return {
    ...read,
    pair: cert === undefined ? own.pair : read.pair,
    ...(isTrustGiven ? {} : { authorities: own.authorities, systemAuthorities: [] }),
  }
}
