/** The certificate, the key and the authorities of a listener. */
import type { X509Certificate } from 'node:crypto'
import { HubError, quote } from '../../core/errors.ts'
import { readCertificateFile } from '../../core/key-file/certificate-reader.ts'
import { fileKind } from '../../core/key-file/file-kind.ts'
import { encryptionOf, keyLabels, readPrivateKey } from '../../core/key-file/key-reader.ts'
import { limits } from '../../core/limits.ts'
import type { CertificateFields } from '../../core/x509/certificate.ts'
import { nameText } from '../../core/x509/name.ts'
import { decodePem } from '../../core/x509/pem.ts'
import { type Finding, finding } from '../finding.ts'
import { certificateFields, judgeServerCertificate, spanText, timeText } from '../server-certificate.ts'
import { admissionOf } from './admission.ts'
import type { Listener } from './configuration.ts'
import { placeOf, type Setting } from './configuration-text.ts'
import { checkCrlFile } from './crl-checks.ts'
import type { NamedFiles } from './named-files.ts'

export function checkCertificates(listener: Listener, files: NamedFiles, nowSec: number): readonly Finding[] {
  const admission = admissionOf(listener, false)
  if (!admission.hasCertificate) return []
  const { settings } = listener
  const pair = checkPair(listener, files, nowSec)
  if (!admission.demandsCertificate) return pair
  const cafile = settings.get('cafile')
  const bundle = files.bytes(cafile)
  const anchors = bundle === null ? null : anchorsIn(bundle)
  const findings = [...pair]
  if (cafile !== undefined && anchors !== null) findings.push(...checkAnchors(placeOf(cafile), anchors, nowSec))
  findings.push(...checkFolder(listener, files))
  const crlfile = settings.get('crlfile')
  const crls = files.bytes(crlfile)
  if (crlfile !== undefined && crls !== null && !admission.isWebSocket) {
    findings.push(...checkCrlFile(placeOf(crlfile), crls, anchors ?? [], nowSec))
  }
  return findings
}

/** Certificate and key of the server. */
function checkPair({ settings }: Listener, files: NamedFiles, nowSec: number): readonly Finding[] {
  const [certfile, keyfile] = [settings.get('certfile'), settings.get('keyfile')]
  const [certificate, key] = [files.bytes(certfile), files.bytes(keyfile)]
  if (certfile === undefined || keyfile === undefined) return []
  const findings: Finding[] = []
  let leaf: X509Certificate | null = null
  if (certificate !== null) {
    try {
      ;[leaf] = readCertificateFile({ name: certfile.value, bytes: certificate })
      const fields = certificateFields(leaf.raw)
      if (typeof fields !== 'string') {
        findings.push(
          ...judgeServerCertificate(fields, placeOf(certfile), nowSec),
          ...checkCiphers(settings.get('ciphers'), leaf),
        )
      }
    } catch (error) {
      findings.push(unreadable(error, placeOf(certfile)))
    }
  }
  if (key === null) return findings
  if (isEncrypted(key)) return [...findings, finding('mosquitto-key-encrypted', placeOf(keyfile))]
  try {
    const opened = readPrivateKey({ name: keyfile.value, bytes: key }, null)
    if (leaf !== null && !leaf.checkPrivateKey(opened)) {
      findings.push(
        finding('key-certificate-mismatch', placeOf(keyfile), {
          evidence: `the key in ${quote(keyfile.value)} is not the one that the certificate in ${quote(certfile.value)} was made for, so that Mosquitto does not start`,
        }),
      )
    }
  } catch (error) {
    findings.push(unreadable(error, placeOf(keyfile)))
  }
  return findings
}

function unreadable(error: unknown, subject: string): Finding {
  if (!(error instanceof HubError)) throw error
  return finding(error.code, subject, { evidence: error.message, cure: error.hint })
}

function isEncrypted(bytes: Uint8Array): boolean {
  const kind = fileKind(bytes)
  if (kind.kind !== 'pem') return false
  const block = kind.blocks.find(({ label }) => keyLabels.has(label))
  try {
    return block !== undefined && encryptionOf(block) !== null
  } catch (error) {
    if (error instanceof HubError) return false
    throw error
  }
}

/** Judged only where each cipher names the kind of key that it goes with. */
function checkCiphers(setting: Setting | undefined, leaf: X509Certificate): readonly Finding[] {
  const kind = leaf.publicKey.asymmetricKeyType === 'rsa' ? 'RSA' : 'ECDSA'
  const ciphers = setting?.value.split(/[:, ]/).filter((each) => each !== '') ?? []
  const named = ciphers.map((each) => /^(?:ECDHE|DHE)-(RSA|ECDSA)-/.exec(each)?.[1])
  if (setting === undefined || named.length === 0 || named.some((each) => each === undefined || each === kind))
    return []
  const evidence = `the key of the server is for ${kind}, and ciphers names such for ${named[0]} alone`
  return [finding('mosquitto-ciphers-unfit', placeOf(setting), { evidence })]
}

/** The certificates of a bundle that can be read. */
function anchorsIn(bytes: Uint8Array): readonly CertificateFields[] {
  try {
    return decodePem(Buffer.from(bytes).toString('latin1'))
      .filter(({ label }) => label.endsWith('CERTIFICATE'))
      .slice(0, limits.brokerCertificatesMax)
      .map(({ der }) => certificateFields(der))
      .filter((fields) => typeof fields !== 'string')
  } catch (error) {
    if (error instanceof HubError) return []
    throw error
  }
}

/** A fleet has a few authorities; a bundle of those of the web has more than a hundred. */
const ownAuthoritiesMax = 20

function checkAnchors(place: string, all: readonly CertificateFields[], nowSec: number): readonly Finding[] {
  const anchors = all.filter(isAuthority)
  if (anchors.length === 0) {
    const evidence =
      all.length === 0
        ? 'no certificate can be read in the file'
        : `it holds ${nameOf(all[0])}, which may not issue certificates`
    return [finding('mosquitto-anchors-empty', place, { evidence })]
  }
  if (anchors.length > ownAuthoritiesMax) {
    const evidence = `it holds ${anchors.length} authorities, as the list of an operating system or browser does: whoever has a certificate of one of them gets in`
    return [finding('mosquitto-anchors-too-wide', place, { certainty: 'likely', evidence })]
  }
  return anchors
    .filter(({ notAfterSec }) => nowSec > notAfterSec)
    .map((anchor) =>
      finding('mosquitto-anchor-expired', place, {
        evidence: `${nameOf(anchor)} ended at ${timeText(anchor.notAfterSec)}, ${spanText(nowSec - anchor.notAfterSec)} ago`,
      }),
    )
}

/** Roots of version 1 say nothing of what they are, and OpenSSL takes them. */
function isAuthority({ version, basicConstraints }: CertificateFields): boolean {
  return basicConstraints?.ca === true || version === 1
}

function nameOf(fields: CertificateFields | undefined): string {
  return quote(fields === undefined ? '' : nameText(fields.subject))
}

function checkFolder({ settings }: Listener, files: NamedFiles): readonly Finding[] {
  const capath = settings.get('capath')
  const names = files.names(capath)
  if (capath === undefined || names === null || names.some((name) => /^[0-9a-f]{8}\.\d+$/.test(name))) return []
  return [
    finding('mosquitto-capath-unhashed', placeOf(capath), {
      evidence: `${quote(capath.value)} holds ${names.length} files and none by the hash of a subject, as in "5ed36f99.0"`,
      cure: `run \`openssl rehash ${capath.value}\`, or name one file with cafile`,
    }),
  ]
}
