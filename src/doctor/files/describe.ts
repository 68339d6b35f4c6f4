/** Keys and certificates in the words that stand in a report. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { HubError } from '../../core/errors.ts'
import type { FoundForm } from '../../core/key-file/found-form.ts'
import { nameText } from '../../core/x509/name.ts'
import { readPublicKey } from '../../core/x509/public-key.ts'
import type { Fact } from '../finding.ts'
import { printableText } from '../printable-text.ts'
import { spanText, timeText } from '../span.ts'
import type { FoundCertificate } from './contents.ts'
import type { OpenedKey } from './open-key.ts'

const curves: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
])

/** Such as "ECDSA P-256" or "RSA 2048". */
export function keyText(key: KeyObject): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ec') return `ECDSA ${curveOf(key)}`
  if (type === 'rsa') return `RSA ${details?.modulusLength}`
  if (type === 'rsa-pss') return `RSA-PSS ${details?.modulusLength}`
  return type === 'ed25519' ? 'Ed25519' : (type ?? 'unknown')
}

/** As OpenSSL names it, the NIST curves by their usual names; `explicit parameters` where it is written out and not named. */
export function curveOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  // OpenSSL gives a name also to a curve that has none in the file.
  if (isExplicit(publicKey)) return 'explicit parameters'
  const curve = key.asymmetricKeyDetails?.namedCurve ?? ''
  return curves.get(curve) ?? curve
}

function isExplicit(key: KeyObject): boolean {
  try {
    const read = readPublicKey(key.export({ type: 'spki', format: 'der' }), 'certificate-unreadable')
    return read.kind === 'ec' && read.curve === 'explicit parameters'
  } catch (error) {
    if (error instanceof HubError) return false
    throw error
  }
}

/** Such as "SEC1 in PEM, encrypted (AES-128-CBC in the traditional way)". */
export function formText({ form, container, encryption }: FoundForm): string {
  if (form === 'PFX') return 'PFX'
  return `${form} in ${container}, ${encryption === null ? 'not encrypted' : `encrypted (${encryption})`}`
}

const closedText: Readonly<Record<OpenedKey['state'], string>> = {
  open: 'open',
  'passphrase-missing': 'no passphrase',
  'passphrase-wrong': 'wrong passphrase',
  'passphrases-untried': 'not all passphrases were tried',
  'cipher-unread': 'cipher-unread',
  damaged: 'damaged',
}

export function keyFact({ key, form, state }: OpenedKey): Fact {
  return {
    name: 'key',
    value: `${key === null ? `not opened: ${closedText[state]}` : keyText(key)}, ${formText(form)}`,
  }
}

/** The name that a certificate carries, on one line, safe to print. */
export function subjectText({ certificate, fields }: FoundCertificate): string {
  const text = fields === null ? printableText(certificate.subject ?? '') : nameText(fields.subject)
  return text === '' ? 'no name' : text
}

export function issuerText({ certificate, fields }: FoundCertificate): string {
  return fields === null ? printableText(certificate.issuer ?? '') : nameText(fields.issuer)
}

export function certificateFact(found: FoundCertificate, nowMs: number): Fact {
  const { notBeforeSec, notAfterSec } = datesOf(found)
  const nowSec = nowMs / 1000
  const left =
    nowSec > notAfterSec
      ? `ended ${spanText(nowSec - notAfterSec)} ago`
      : nowSec < notBeforeSec
        ? `begins in ${spanText(notBeforeSec - nowSec)}`
        : `${spanText(notAfterSec - nowSec)} left`
  const kind = found.certificate.ca ? 'authority' : 'certificate'
  const issuer = issuerText(found) === subjectText(found) ? 'itself' : issuerText(found)
  return {
    name: kind,
    value: `${subjectText(found)}, issued by ${issuer}, until ${timeText(notAfterSec)} (${left}), ${keyText(found.certificate.publicKey)}`,
  }
}

export function datesOf({ certificate, fields }: FoundCertificate): {
  readonly notBeforeSec: number
  readonly notAfterSec: number
} {
  if (fields !== null) return fields
  return {
    notBeforeSec: certificate.validFromDate.getTime() / 1000,
    notAfterSec: certificate.validToDate.getTime() / 1000,
  }
}
