/** `handfast cert sign`: a certificate for a request that somebody else made. */
import type { Command } from 'commander'
import type { IssueCertificateRequest, IssuedCertificateView } from '../../../api-schema/certificates.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { isIdentityId } from '../../../core/identity/id.ts'
import { limits } from '../../../core/limits.ts'
import { parseCertificateRequest } from '../../../core/x509/certificate-request.ts'
import { oids } from '../../../core/x509/oids.ts'
import { decodePem, encodePem } from '../../../core/x509/pem.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { addOrderOptions, type OrderOptions, orderedBy } from '../../order-certificate.ts'
import { note, printFields, printJson, printLine, shortTime } from '../../output.ts'
import { collected } from '../../values.ts'
import { readSmallBytes, writeWholeFile } from '../../whole-file.ts'

interface SignOptions extends HubOptions, OrderOptions {
  readonly csr: string
  readonly profile: string
  readonly id?: string
  readonly name?: readonly string[]
  readonly ip?: readonly string[]
  readonly email?: readonly string[]
  readonly eku?: readonly string[]
  readonly out?: string
  readonly force?: boolean
}

export function defineSign(command: Command): void {
  addOrderOptions(
    addHubOptions(command)
      .requiredOption('--csr <file>', 'the certificate request (PKCS#10), PEM or DER; "-" for standard input')
      .requiredOption('--profile <name>', 'what the certificate is made from')
      .option('--id <id>', 'whose it is (default: the common name of the request)')
      .option('--name <dns>', 'DNS name, where the profile lets an order name one; may be repeated', collected)
      .option('--ip <address>', 'IP address, likewise', collected)
      .option('--email <address>', 'e-mail address, likewise', collected)
      .option(
        '--eku <purpose>',
        'extended key usage beside those of the profile, where it lets; may be repeated',
        collected,
      ),
  )
    .option('--out <file>', 'write certificate and chain there instead of printing them')
    .option('--force', 'replace the file that is there')
    .addHelpText(
      'after',
      '\nThe request proves that its maker holds the key; it decides nothing else. One that\nasks for what profile, registry and these options do not say is refused.',
    )
    .action(signRequest)
}

async function signRequest(options: SignOptions): Promise<void> {
  const { csr, profile, name = [], ip = [], email = [], eku = [], out, force = false } = options
  const certificateRequest = await requestPem(csr)
  const request: IssueCertificateRequest = {
    id: options.id ?? commonNameOf(certificateRequest),
    profile,
    certificateRequest,
    dnsNames: [...name],
    ipAddresses: [...ip],
    emails: [...email],
    extendedKeyUsage: [...eku],
    ...orderedBy(options),
  }
  const issued = await hubOf(options).post<IssuedCertificateView>('/credentials', request)
  const { credential, certificate, chain } = issued
  if (out !== undefined) writeWholeFile(out, certificate + chain, { mode: 0o644, force })
  if (options.json) return printJson(issued)
  if (out === undefined) {
    process.stdout.write(certificate + chain)
    return note(`Good until ${shortTime(credential.notAfter)}, serial ${credential.serialNumber}.`)
  }
  printLine(`${credential.deviceId} has a certificate of profile ${profile}, until ${shortTime(credential.notAfter)}`)
  printFields([
    ['certificate', out],
    ['serial', credential.serialNumber],
  ])
}

/** The request in PEM, whatever the file holds. @throws HubError `usage`, `csr-unreadable` */
async function requestPem(file: string): Promise<string> {
  const bytes = await bytesOf(file)
  if (bytes[0] === 0x30) return encodePem('CERTIFICATE REQUEST', bytes)
  return bytes.toString('utf8')
}

async function bytesOf(file: string): Promise<Buffer> {
  if (file !== '-') return readSmallBytes(file, limits.estBodyBytesMax)
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const requestHint = 'name a file with a PKCS#10 in PEM or DER, as `openssl req -new` makes it'

/** @throws HubError `csr-unreadable`, `usage` */
function commonNameOf(pem: string): string {
  const [block] = decodePem(pem, 'csr-unreadable')
  if (block === undefined)
    throw new HubError('csr-unreadable', 'there is no certificate request in it', { hint: requestHint })
  const { subject } = parseCertificateRequest(block.der)
  const name = subject.attributes.find(({ oid }) => oid === oids.commonName)?.value ?? ''
  if (isIdentityId(name)) return name
  const what = name === '' ? 'the request has no common name' : `the common name ${quote(name)} is no id`
  throw new HubError('usage', `${what}, so that nothing says whose certificate it is`, { hint: 'give --id' })
}
