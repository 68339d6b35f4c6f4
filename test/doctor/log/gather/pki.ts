/** Keys and certificates, good ones and one for each fault, made with OpenSSL (and faketime for other days). */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environmentOn } from './clock.ts'

interface Order {
  /** Name of the files: <name>.pem and <name>.key. */
  readonly name: string
  readonly subject?: string
  /** Name of the authority, or null for a self-signed certificate. */
  readonly issuer: string | null
  readonly extensions: string
  /** The day on which it is signed, for libfaketime; today if left out. */
  readonly day?: string
  readonly days?: number
  readonly key?: 'p256' | 'rsa2048' | 'rsa1024' | 'secp256k1'
  readonly digest?: 'sha256' | 'sha1'
}

const keyOptions = {
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa2048: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  rsa1024: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
  secp256k1: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
}

const authority =
  'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
const leaf = 'basicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
const client = `${leaf}keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n`
const server = (names: string) =>
  `${leaf}keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\nsubjectAltName=${names}\n`
const here = 'DNS:localhost,IP:127.0.0.1'
const past = '2020-01-01 00:00:00'
const future = '2040-01-01 00:00:00'

const orders: readonly Order[] = [
  { name: 'root', issuer: null, extensions: authority, day: past, days: 9000 },
  { name: 'sub', issuer: 'root', extensions: authority, day: past, days: 9000 },
  { name: 'other', issuer: null, extensions: authority, day: past, days: 9000 },
  { name: 'server', subject: '/CN=localhost', issuer: 'root', extensions: server(here) },
  { name: 'server-expired', subject: '/CN=localhost', issuer: 'root', extensions: server(here), day: past },
  { name: 'server-future', subject: '/CN=localhost', issuer: 'root', extensions: server(here), day: future },
  { name: 'server-elsewhere', issuer: 'root', extensions: server('DNS:broker.plant.example') },
  { name: 'server-for-clients', issuer: 'root', extensions: `${client}subjectAltName=${here}\n` },
  { name: 'server-below-sub', subject: '/CN=localhost', issuer: 'sub', extensions: server(here) },
  { name: 'server-self-signed', subject: '/CN=localhost', issuer: null, extensions: server(here) },
  { name: 'server-rsa', subject: '/CN=localhost', issuer: 'root', extensions: server(here), key: 'rsa2048' },
  { name: 'device', issuer: 'root', extensions: client },
  { name: 'device-expired', issuer: 'root', extensions: client, day: past },
  { name: 'device-future', issuer: 'root', extensions: client, day: future },
  { name: 'device-other', issuer: 'other', extensions: client },
  { name: 'device-below-sub', issuer: 'sub', extensions: client },
  { name: 'device-self-signed', issuer: null, extensions: client },
  { name: 'device-for-servers', issuer: 'root', extensions: server('DNS:device') },
  { name: 'device-revoked', issuer: 'root', extensions: client },
  { name: 'device-rsa1024', issuer: 'root', extensions: client, key: 'rsa1024' },
  { name: 'device-sha1', issuer: 'root', extensions: client, key: 'rsa2048', digest: 'sha1' },
  { name: 'device-secp256k1', issuer: 'root', extensions: client, key: 'secp256k1' },
  { name: 'device-cannot-sign', issuer: 'root', extensions: client.replace('digitalSignature', 'keyEncipherment') },
  {
    name: 'device-without-name',
    subject: '/O=plant',
    issuer: 'root',
    extensions: `${client}subjectAltName=URI:urn:plant:device\n`,
  },
  { name: 'device-below-device', issuer: 'device', extensions: client },
  { name: 'stranger', issuer: 'root', extensions: client },
]

/** Makes all of it in a folder. */
export function makePki(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const order of orders) make(folder, order)
  const keyText = readFileSync(join(folder, 'device.key'), 'utf8')
  openssl(folder, ['pkey', '-in', 'device.key', '-aes256', '-passout', 'pass:Right-one-1', '-out', 'encrypted.key'])
  openssl(folder, ['ec', '-in', 'device.key', '-aes128', '-passout', 'pass:Right-one-1', '-out', 'traditional.key'])
  for (const [below, above] of [
    ['device-other', 'other'],
    ['device-below-device', 'device'],
  ]) {
    const chain = [below, above].map((name) => readFileSync(join(folder, `${name}.pem`), 'utf8'))
    writeFileSync(join(folder, `${below}-chain.pem`), chain.join(''))
    writeFileSync(join(folder, `${below}-chain.key`), readFileSync(join(folder, `${below}.key`)))
  }
  writeFileSync(join(folder, 'cut.key'), keyText.slice(0, keyText.length / 2))
  writeFileSync(join(folder, 'garbage.key'), 'this is no key\n')
  const certificate = readFileSync(join(folder, 'device.pem'), 'utf8')
  writeFileSync(join(folder, 'cut.pem'), certificate.slice(0, certificate.length / 2))
  writeFileSync(join(folder, 'garbage.pem'), 'this is no certificate\n')
  writeFileSync(join(folder, 'spoilt.pem'), certificate.replace(/\n[A-Za-z0-9+/]{20}/, '\n!!!!!!!!!!!!!!!!!!!!'))
  makeCrls(folder)
}

function make(folder: string, { name, subject, issuer, extensions, day, days, key, digest }: Order): void {
  openssl(folder, ['genpkey', ...keyOptions[key ?? 'p256'], '-out', `${name}.key`])
  const request = ['req', '-new', '-key', `${name}.key`, '-subj', subject ?? `/CN=${name}`, '-out', `${name}.csr`]
  openssl(folder, request)
  writeFileSync(join(folder, 'extensions'), extensions)
  const signer = issuer === null ? ['-key', `${name}.key`] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`]
  const serial = ['-set_serial', `0x${Buffer.from(name).subarray(0, 12).toString('hex')}`]
  const period = ['-days', String(days ?? 30), `-${digest ?? 'sha256'}`]
  const signing = ['x509', '-req', '-in', `${name}.csr`, ...signer, ...serial, ...period, '-extfile', 'extensions']
  openssl(folder, [...signing, '-out', `${name}.pem`], day)
}

function makeCrls(folder: string): void {
  for (const [name, issuer, revoked, day] of [
    ['crl', 'root', 'device-revoked', undefined],
    ['crl-old', 'root', null, past],
    ['crl-ahead', 'root', null, future],
    ['crl-other', 'other', null, undefined],
  ] as const) {
    writeFileSync(join(folder, `${name}.index`), '')
    writeFileSync(
      join(folder, `${name}.cnf`),
      `[ca]\ndefault_ca=it\n[it]\ndatabase=${name}.index\ndefault_md=sha256\ndefault_crl_days=20\n`,
    )
    const with_ = ['-config', `${name}.cnf`, '-cert', `${issuer}.pem`, '-keyfile', `${issuer}.key`]
    if (revoked !== null) openssl(folder, ['ca', ...with_, '-revoke', `${revoked}.pem`])
    openssl(folder, ['ca', ...with_, '-gencrl', '-out', `${name}.pem`], day)
  }
}

function openssl(folder: string, arguments_: readonly string[], day?: string): void {
  const env = environmentOn(day ?? null)
  execFileSync('openssl', arguments_, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env })
}
