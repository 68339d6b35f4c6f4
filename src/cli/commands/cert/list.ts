/** `handfast cert list` and `cert show`: certificates as the registry has them. */
import { readFileSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import type { CertificateView } from '../../../api-schema/certificates.ts'
import type { CredentialView, PageView } from '../../../api-schema/views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { type CredentialState, credentialStates } from '../../../core/identity/credential.ts'
import { limits } from '../../../core/limits.ts'
import { certificateFingerprint, readCertificate } from '../../../core/x509/certificate.ts'
import { decodePem } from '../../../core/x509/pem.ts'
import type { HubApi } from '../../api-client.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printFields, printJson, printTable, shortTime } from '../../output.ts'
import { duration, oneOf, wholeNumber } from '../../values.ts'

interface ListOptions extends HubOptions {
  readonly id?: string
  readonly profile?: string
  readonly state?: CredentialState
  readonly expiresWithin?: number
  readonly limit?: number
  readonly all?: boolean
}

export function defineList(command: Command): void {
  addHubOptions(command)
    .option('--id <id>', 'only those of this identity')
    .option('--profile <name>', 'only those of this profile')
    .option(
      '--state <state>',
      `only those in this state: ${credentialStates.join(', ')}`,
      oneOf('--state', credentialStates),
    )
    .option(
      '--expires-within <duration>',
      'only those that end from now on until then: 12h, 30d',
      duration('--expires-within', '1m', '3650d'),
    )
    .option('--limit <n>', 'rows on a page', wholeNumber('--limit', 1, limits.pageRowsMax))
    .option('--all', 'all of them, page after page')
    .action(async (options: ListOptions) => {
      const page = await listed(hubOf(options), options)
      if (options.json) return printJson(page)
      if (page.items.length === 0) return note('No such certificates.')
      const rows = page.items.map((each) => [
        each.serialNumber,
        each.deviceId,
        each.profile,
        each.state,
        shortTime(each.notAfter),
      ])
      printTable(['SERIAL NUMBER', 'ID', 'PROFILE', 'STATE', 'TO'], rows)
      if (page.next !== null) note('There are more; see them with --all.')
    })
}

/** A page that is full, although the hub may answer with less where filters leave little; or all pages. */
async function listed(hub: HubApi, options: ListOptions): Promise<PageView<CredentialView>> {
  const wanted = options.limit ?? limits.pageRowsDefault
  const items: CredentialView[] = []
  let after: string | undefined
  const query = {
    identity: options.id,
    profile: options.profile,
    state: options.state,
    ...endingWithin(options.expiresWithin),
  }
  do {
    const limit = options.all ? (options.limit ?? limits.pageRowsMax) : wanted - items.length
    const page: PageView<CredentialView> = await hub.get('/credentials', { ...query, limit, after })
    items.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined && (options.all || items.length < wanted))
  return { items, next: after ?? null }
}

function endingWithin(seconds: number | undefined): { readonly endsAfter?: string; readonly endsBefore?: string } {
  if (seconds === undefined) return {}
  const nowMs = Date.now()
  return { endsAfter: new Date(nowMs).toISOString(), endsBefore: new Date(nowMs + seconds * 1000).toISOString() }
}

export function defineShow(command: Command): void {
  addHubOptions(command)
    .addHelpText('after', '\nA serial number in hexadecimal, the SHA-256 of the certificate, or a file with it.')
    .action(async (text: string, options: HubOptions) => {
      const view = await certificateNamed(hubOf(options), text)
      if (options.json) return printJson(view)
      print(view)
    })
}

/**
 * The certificate that a person means.
 *
 * @throws HubError `credential-not-found`, `usage`, `certificate-unreadable`
 */
async function certificateNamed(hub: HubApi, text: string): Promise<CertificateView> {
  const hex = text.replaceAll(':', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hex)) return byFingerprint(hub, hex)
  if (/^[0-9a-f]{2,40}$/.test(hex)) return hub.get<CertificateView>(`/credentials/${pathPart(hex)}`)
  const der = certificateIn(text)
  // A foreign certificate may have the serial number of one of ours.
  const view = await hub.get<CertificateView>(`/credentials/${pathPart(readCertificate(der).serialNumber)}`)
  if (view.credential.fingerprint === certificateFingerprint(der)) return view
  throw notOurs(`the certificate in ${quote(text)}`)
}

async function byFingerprint(hub: HubApi, fingerprint: string): Promise<CertificateView> {
  const { items } = await hub.get<PageView<CredentialView>>('/credentials', { fingerprint })
  const [credential] = items
  if (credential === undefined) throw notOurs(`a certificate with the fingerprint ${quote(fingerprint)}`)
  return hub.get<CertificateView>(`/credentials/${pathPart(credential.serialNumber)}`)
}

function notOurs(what: string): HubError {
  return new HubError('credential-not-found', `the registry does not hold ${what}`)
}

function certificateIn(file: string): Uint8Array {
  let bytes: Buffer
  try {
    if (statSync(file).size > limits.broughtFileBytesMax) throw new HubError('usage', `${quote(file)} is too large`)
    bytes = readFileSync(file)
  } catch (error) {
    if (error instanceof HubError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new HubError('usage', `${quote(file)} is no serial number, no SHA-256, and no file (${code})`, {
      hint: 'see the certificates with `handfast cert list`',
      cause: error,
    })
  }
  if (bytes[0] === 0x30) return bytes
  const block = decodePem(bytes.toString('utf8')).find(({ label }) => label === 'CERTIFICATE')
  if (block !== undefined) return block.der
  throw new HubError('certificate-unreadable', `${quote(file)} holds no certificate`, { hint: 'name another file' })
}

function print(view: CertificateView): void {
  const { credential } = view
  const list = (values: readonly string[]): string => values.join(' ') || '-'
  const revoked =
    credential.revokedAt === null ? '-' : `${shortTime(credential.revokedAt)} ${credential.revocationReason}`
  printFields([
    ['serial number', credential.serialNumber],
    ['sha256', credential.fingerprint],
    ['identity', credential.deviceId],
    ['profile', credential.profile],
    ['state', credential.state],
    ['from', shortTime(credential.notBefore)],
    ['to', shortTime(credential.notAfter)],
    ['revoked', revoked],
    ['subject', view.subject || '-'],
    ['key', view.key],
    ['URI', list(view.uris)],
    ['DNS names', list(view.dnsNames)],
    ['addresses', list(view.ipAddresses)],
    ['e-mail', list(view.emails)],
    ['key usage', list([...view.keyUsage, ...view.extendedKeyUsage])],
    ['CRL', list(view.crlUrls)],
    ['signed by', credential.authority],
    ['renewed from', view.parentSerialNumber ?? '-'],
  ])
}
