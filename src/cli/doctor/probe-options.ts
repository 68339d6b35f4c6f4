/** What the options about an address name, read from their files. */
import { randomBytes } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import { HubError, quote } from '../../core/errors.ts'
import { type BroughtParts, readParts } from '../../core/key-file/brought-parts.ts'
import { readCertificateFile } from '../../core/key-file/certificate-reader.ts'
import { limits } from '../../core/limits.ts'
import { parseTopicName, type TopicName } from '../../core/mqtt/topic.ts'
import { Violation } from '../../core/mqtt/violation.ts'
import { Secret } from '../../core/secret.ts'
import { type Examination, finding } from '../../doctor/finding.ts'
import type { ClientPair } from '../../doctor/probe/handshake.ts'
import type { ProbeOptions } from '../../doctor/probe/options.ts'
import { secretIn } from '../bundle/passphrase.ts'
import { readSmallBytes } from '../whole-file.ts'
import type { DoctorOptions } from './examine.ts'

/**
 * @returns what to probe with, or what is wrong with the key pair: with one that does not fit nothing is learned from a server
 * @throws HubError `usage`, `credential-file-unreadable`, `credential-passphrase-wrong`
 */
export async function readAddressOptions(options: DoctorOptions): Promise<ProbeOptions | Examination> {
  const { cafile, cert, username, passwordFile, clientId, alpn, servername } = options
  if (passwordFile !== undefined && username === undefined) {
    throw new HubError('usage', 'a password is given without a user name', { hint: 'add --username' })
  }
  const pair = await readPair(options)
  if (pair === 'mismatch') {
    const subject = cert ?? ''
    const evidence = `the key ${options.key === undefined ? 'in it' : `in ${quote(options.key)}`} is not the one that the certificate was made for`
    return { subject, facts: [], findings: [finding('key-certificate-mismatch', subject, { evidence })] }
  }
  return {
    authorities: cafile === undefined ? null : certificatesIn(cafile),
    systemAuthorities:
      cafile === undefined ? [...new Set([...getCACertificates('default'), ...getCACertificates('system')])] : [],
    pair,
    username: username ?? null,
    password: passwordFile === undefined ? null : await secretIn(passwordFile, 'password'),
    topic: options.topic === undefined ? null : topicIn(options.topic),
    clientId: clientId ?? null,
    alpn: alpn === undefined ? [] : alpn.split(',').filter((name) => name !== ''),
    serverName: servername ?? null,
    stepMs: limits.probeStepMs,
    nowSec: Math.floor(Date.now() / 1000),
    nonce: randomBytes(6).toString('hex'),
  }
}

function certificatesIn(path: string): readonly string[] {
  const bytes = readSmallBytes(path, limits.brokerCertificateBytesMax)
  return readCertificateFile({ name: path, bytes }).map(String)
}

async function readPair({ cert, key, keyPassFile }: DoctorOptions): Promise<ClientPair | 'mismatch' | null> {
  if (cert === undefined) {
    if (key !== undefined) throw new HubError('usage', 'a key is given without its certificate', { hint: 'add --cert' })
    return null
  }
  const passphrase = keyPassFile === undefined ? null : await secretIn(keyPassFile)
  const parts = [cert, key].flatMap((path) => (path === undefined ? [] : [partsOf(path, passphrase)]))
  const certificates = parts.flatMap((each) => each.certificates)
  const opened = parts.map((each) => each.key).find((each) => each !== null)
  const [own] = certificates
  if (own === undefined) throw new HubError('usage', `${quote(cert)} holds no certificate`)
  if (opened === undefined || opened === null) {
    throw new HubError('usage', `the key of ${quote(cert)} is missing`, { hint: 'give it with --key' })
  }
  if (!own.checkPrivateKey(opened)) return 'mismatch'
  const pem = opened.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { key: new Secret(pem), chain: certificates.map(String).join('') }
}

function partsOf(path: string, passphrase: Secret | null): BroughtParts {
  try {
    return readParts({ name: path, bytes: readSmallBytes(path, limits.keyFileBytesMax) }, passphrase)
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'credential-passphrase-wrong') throw error
    throw new HubError(error.code, error.message, { hint: 'give the file with its passphrase: --key-pass-file' })
  }
}

/** Never a filter: what stands below it was not named. */
function topicIn(text: string): TopicName {
  const topic = parseTopicName(text)
  if (!(topic instanceof Violation)) return topic
  throw new HubError('usage', `${quote(text)} is no topic to send to: ${topic.sentence}`, {
    hint: 'name one topic without wildcards',
  })
}
