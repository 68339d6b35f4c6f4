/** The files by which the gate and a broker of the operator's know each other. What is wrong with one is said with its name. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { Secret } from '../core/secret.ts'
import { unreadable } from '../core/unreadable.ts'
import type { BrokerSettings } from '../core/upstream/broker-settings.ts'
import type { BrokerTls } from '../gate/upstream/remote/dial.ts'
import type { BrokerLogin } from '../gate/upstream/remote/introduction.ts'

/** @throws HubError `broker-settings-unusable` */
export function readBrokerFiles(settings: BrokerSettings): {
  readonly login: BrokerLogin | null
  readonly tls: BrokerTls
} {
  return { login: readLogin(settings.loginFile), tls: readTls(settings) }
}

function readLogin(file: string | null): BrokerLogin | null {
  if (file === null) return null
  const [username = '', password = '', ...rest] = readText(file).split(/\r?\n/)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  const isText = (text: string) => Buffer.byteLength(text) <= 0xffff && !/[\u0000-\u001f\u007f]/.test(text)
  if (username === '' || !isText(username) || !isText(password) || rest.some((line) => line !== '')) {
    throw unusable(
      `${quote(file)} does not hold a user name in its first line and a password in its second, and nothing else`,
    )
  }
  return { username, password: password === '' ? null : new Secret(password) }
}

function readTls({ caFile, tls }: BrokerSettings): BrokerTls {
  return { ca: caFile === null ? null : readCertificates(caFile), own: tls === null ? null : readOwn(tls) }
}

function readOwn(files: NonNullable<BrokerSettings['tls']>): BrokerTls['own'] {
  const certificate = readCertificates(files.certificate)
  const key = new Secret(readText(files.key))
  let publicKey: KeyObject
  try {
    publicKey = createPublicKey(createPrivateKey(key.reveal()))
  } catch {
    throw unusable(`${quote(files.key)} holds no private key in PEM that can be read without a passphrase`)
  }
  if (new X509Certificate(certificate).publicKey.equals(publicKey)) return { certificate, key }
  throw unusable(`the key in ${quote(files.key)} is not that of the first certificate in ${quote(files.certificate)}`)
}

/** Node takes a text without certificates for no CA at all, and says nothing. */
function readCertificates(file: string): string {
  const text = readText(file)
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (found.length === 0) throw unusable(`${quote(file)} holds no certificate in PEM`)
  for (const [index, pem] of found.entries()) {
    if (!isCertificate(pem)) throw unusable(`certificate ${index + 1} in ${quote(file)} is damaged`)
  }
  return text
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem)
    return true
  } catch {
    return false
  }
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, 'utf8')
    if (text.length <= limits.brokerFileBytesMax) return text
  } catch (error) {
    const { words, hint } = unreadable(error)
    throw unusable(`${quote(file)} ${words}`, hint)
  }
  throw unusable(`${quote(file)} is longer than ${limits.brokerFileBytesMax} bytes`)
}

function unusable(sentence: string, hint?: string): HubError {
  return new HubError('broker-settings-unusable', sentence, hint === undefined ? {} : { hint })
}
