/** Certificates of every profile, judged by OpenSSL, GnuTLS, NSS and mbedTLS: for their purpose, and against any other. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { IdentityId } from '../../src/core/identity/id.ts'
import { deviceProfile, dualProfile, serverProfile, userProfile } from '../../src/core/profile/built-in.ts'
import type { IdentityFacts } from '../../src/core/profile/certificate-content.ts'
import type { Order } from '../../src/core/profile/order.ts'
import { parseOwnProfile } from '../../src/core/profile/own-profile.ts'
import type { Profile } from '../../src/core/profile/profile.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { contentOf } from '../core/profile/facts.ts'
import {
  ecKey,
  ed25519Key,
  makeCertificate,
  makeIssuing,
  makeRoot,
  rsaKey,
  type TestAuthority,
  type TestKey,
} from '../core/x509/support.ts'
import { needs, programPath } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const nowSec = Math.floor(Date.now() / 1000)
const daySec = 86_400
const validity = { notBeforeSec: nowSec - 300, notAfterSec: nowSec + 10 * daySec }
const authorityValidity = { notBeforeSec: nowSec - 300, notAfterSec: nowSec + 3650 * daySec }

interface Case {
  readonly profile: Profile
  readonly facts?: Partial<IdentityFacts>
  readonly order?: Partial<Order>
  readonly key?: TestKey
  readonly client: boolean
  /** A name that a client may ask for, or null where it is no server. */
  readonly host: string | null
  /** Whether mbedTLS reads such a key. */
  readonly mbedtls: boolean
}

const names = { dnsNames: ['press-4.plant.example'], ipAddresses: ['10.3.0.11'], emails: ['ada@plant.example'] }
const host = 'press-4.plant.example'

/** What EZCA's tutorial for Azure asks for: both purposes, ten days, RSA of 4096 bits, the id as its only name. */
const ezca: Profile = parseOwnProfile({
  ...deviceProfile,
  name: 'ezca',
  keyUsage: ['digitalSignature', 'keyEncipherment'],
  extendedKeyUsage: dualProfile.extendedKeyUsage,
  names: { ...deviceProfile.names, dns: { patterns: ['{id}'], registry: false, requester: [] } },
  keyTypes: ['RSA-4096'],
  lifetimeSec: 10 * daySec,
})

const plant: Profile = parseOwnProfile({
  ...dualProfile,
  name: 'plant',
  subject: [
    { type: 'countryName', value: 'DE' },
    { type: 'organizationName', value: 'Müller & Söhne' },
    { type: 'organizationalUnitName', value: '{group}' },
    { type: 'serialNumber', value: '{attr.serial}' },
    { type: 'commonName', value: '{id}' },
  ],
  names: { ...dualProfile.names, dns: { patterns: ['{id}.{realm}'], registry: false, requester: [] } },
  hash: 'sha512',
})

const mbedtlsServer: Profile = parseOwnProfile({
  ...serverProfile,
  name: 'mbedtls-server',
  subject: [{ type: 'commonName', value: '{id}' }],
  compatibility: 'mbedtls',
  names: { ...serverProfile.names, addressesAsDns: true },
})

const ed25519: Profile = parseOwnProfile({ ...deviceProfile, name: 'edwards', keyTypes: ['Ed25519'] })

const press = { id: 'press-4' as IdentityId, names }
const dual: Case = { profile: dualProfile, facts: press, client: true, host, mbedtls: true }
const cases: readonly Case[] = [
  { profile: deviceProfile, client: true, host: null, mbedtls: true },
  { profile: deviceProfile, key: ecKey('P-384'), client: true, host: null, mbedtls: true },
  { profile: deviceProfile, key: rsaKey(2048), client: true, host: null, mbedtls: true },
  { profile: serverProfile, facts: { ...press, kind: 'service' }, client: false, host, mbedtls: true },
  { profile: userProfile, facts: { ...press, kind: 'user' }, client: true, host: null, mbedtls: true },
  dual,
  { profile: ezca, facts: press, key: rsaKey(4096), client: true, host: 'press-4', mbedtls: true },
  {
    profile: plant,
    facts: { ...press, group: 'line 2', attributes: { serial: 'SN 0815-7' } },
    client: true,
    host,
    mbedtls: true,
  },
  {
    profile: mbedtlsServer,
    facts: { id: 'gateway' as IdentityId },
    order: { ipAddresses: ['10.3.0.11'] },
    client: false,
    host: '10.3.0.11',
    mbedtls: true,
  },
  { profile: ed25519, key: ed25519Key(), client: true, host: null, mbedtls: false },
]

interface Files {
  readonly root: string
  readonly issuing: string
  readonly leaf: string
}

const root = makeRoot(authorityValidity)
const issuing = makeIssuing(root, authorityValidity)

function written(context: TestContext, leaf: Uint8Array, below: TestAuthority = issuing): Files {
  const folder = temporaryFolder(context)
  const write = (name: string, der: Uint8Array) => {
    const path = join(folder, name)
    writeFileSync(path, encodePem('CERTIFICATE', der))
    return path
  }
  return { root: write('root.pem', root.der), issuing: write('issuing.pem', below.der), leaf: write('leaf.pem', leaf) }
}

function leafOf({ profile, facts, order, key }: Case): Uint8Array {
  return makeCertificate(issuing, validity, contentOf(profile, facts, order), key ?? ecKey())
}

function titleOf({ profile, key }: Case): string {
  const type =
    key === undefined
      ? ''
      : ` on ${key.privateKey.asymmetricKeyDetails?.namedCurve ?? key.privateKey.asymmetricKeyType}`
  return `a certificate of ${profile.name}${type}`
}

const isAddress = (host: string) => /^[0-9.]+$/.test(host)

describe('OpenSSL', needs('openssl'), () => {
  for (const each of cases) {
    test(`accepts ${titleOf(each)} strictly for its purpose, and for no other`, async (context) => {
      const { root, issuing, leaf } = written(context, leafOf(each))
      const verify = async (purpose: string, ...more: readonly string[]) => {
        const options = ['-x509_strict', '-purpose', purpose, ...more, '-CAfile', root, '-untrusted', issuing, leaf]
        return (await run('openssl', ['verify', ...options])).status
      }
      assert.equal(await verify('sslclient'), each.client ? 0 : 2)
      if (each.host === null) assert.equal(await verify('sslserver'), 2)
      else {
        const flag = isAddress(each.host) ? '-verify_ip' : '-verify_hostname'
        assert.equal(await verify('sslserver', flag, each.host), 0)
        assert.equal(await verify('sslserver', '-verify_hostname', 'other.example'), 2)
      }
    })
  }

  test('takes the common name for the name of a server without DNS names, which is why no host is let stand there', async (context) => {
    const facts = { id: 'gateway' as IdentityId, names: { ...names, dnsNames: [] } }
    const { root, issuing, leaf } = written(context, leafOf({ ...dual, facts }))
    const options = ['-CAfile', root, '-untrusted', issuing, '-verify_hostname', 'gateway', leaf]
    assert.equal((await run('openssl', ['verify', ...options])).status, 0)
    const host = { ...facts, id: 'bank.example' as IdentityId }
    assert.throws(
      () => leafOf({ ...dual, facts: host }),
      (error) => error instanceof HubError && error.code === 'name-invalid',
    )
  })
})

describe('GnuTLS', needs('certtool'), () => {
  for (const each of cases) {
    test(`accepts ${titleOf(each)} for its purpose, and for no other`, async (context) => {
      const { root, issuing, leaf } = written(context, leafOf(each))
      const chain = join(leaf, '../chain.pem')
      writeFileSync(chain, readFileSync(leaf, 'utf8') + readFileSync(issuing, 'utf8'))
      const verify = async (...options: readonly string[]) => {
        const all = ['--verify', '--load-ca-certificate', root, '--infile', chain, ...options]
        return (await run(programPath('certtool') ?? 'certtool', all)).status
      }
      assert.equal(await verify('--verify-purpose', '1.3.6.1.5.5.7.3.2'), each.client ? 0 : 1)
      assert.equal(await verify('--verify-purpose', '1.3.6.1.5.5.7.3.1'), each.host === null ? 1 : 0)
      if (each.host !== null) {
        assert.equal(await verify('--verify-hostname', each.host), 0)
        assert.equal(await verify('--verify-hostname', 'other.example'), 1)
      }
    })
  }
})

describe('NSS', needs('certutil'), () => {
  for (const each of cases.filter(({ profile }) => profile !== ed25519)) {
    test(`accepts ${titleOf(each)} for its purpose, and for no other`, async (context) => {
      const { root, issuing, leaf } = written(context, leafOf(each))
      const database = `sql:${temporaryFolder(context)}`
      const certutil = (...options: readonly string[]) => run('certutil', ['-d', database, ...options])
      assert.equal((await certutil('-N', '--empty-password')).status, 0)
      assert.equal((await certutil('-A', '-n', 'root', '-t', 'CT,C,C', '-a', '-i', root)).status, 0)
      assert.equal((await certutil('-A', '-n', 'issuing', '-t', ',,', '-a', '-i', issuing)).status, 0)
      assert.equal((await certutil('-A', '-n', 'leaf', '-t', ',,', '-a', '-i', leaf)).status, 0)
      const isFor = async (usage: string) => (await certutil('-V', '-n', 'leaf', '-u', usage)).status === 0
      assert.equal(await isFor('C'), each.client)
      assert.equal(await isFor('V'), each.host !== null)
    })
  }
})

/** mbedTLS comes without a program that verifies, so Python calls the library. Prints the code of parsing and the flags. */
const library = globSync('/usr/lib/*/libmbedx509.so.*').find((path) => existsSync(path)) ?? null
const verifyChain = `
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
def read(*paths):
    chain = ctypes.create_string_buffer(16384)
    library.mbedtls_x509_crt_init(chain)
    for path in paths:
        text = open(path, 'rb').read() + b'\\0'
        code = library.mbedtls_x509_crt_parse(chain, text, ctypes.c_size_t(len(text)))
        if code != 0:
            print(code, 0)
            sys.exit()
    return chain
flags = ctypes.c_uint32(0)
chain, anchors = read(sys.argv[2], sys.argv[3]), read(sys.argv[4])
name = sys.argv[5].encode() or None
library.mbedtls_x509_crt_verify(chain, anchors, None, name, ctypes.byref(flags), None, None)
purpose = bytes.fromhex(sys.argv[6])
print(0, flags.value, library.mbedtls_x509_crt_check_extended_key_usage(chain, purpose, ctypes.c_size_t(len(purpose))))
`
const purposes = { client: '2b06010505070302', server: '2b06010505070301' } as const
const mismatch = '4'

describe(
  'mbedTLS as Debian has it (2.28), by its library',
  library === null ? { skip: 'libmbedx509 is not installed' } : needs('python3'),
  () => {
    async function judge({ root, issuing, leaf }: Files, host: string, purpose: string): Promise<readonly string[]> {
      const { stdout, stderr } = await run('python3', [
        '-c',
        verifyChain,
        library ?? '',
        leaf,
        issuing,
        root,
        host,
        purpose,
      ])
      assert.match(stdout, /^-?\d+ \d+/, stderr)
      return stdout.trim().split(' ')
    }

    for (const each of cases.filter(({ mbedtls }) => mbedtls)) {
      test(`accepts ${titleOf(each)} for its purpose, and for no other`, async (context) => {
        const files = written(context, leafOf(each))
        const [parsed, flags, client] = await judge(files, each.host ?? '', purposes.client)
        assert.deepEqual([parsed, flags, client === '0'], ['0', '0', each.client])
        const [, , server] = await judge(files, '', purposes.server)
        assert.equal(server === '0', each.host !== null)
        if (each.host !== null) assert.equal((await judge(files, 'other.example', purposes.server))[1], mismatch)
      })
    }

    test('compares addresses with DNS names alone, which is why a profile can write them there', async (context) => {
      const { profile, ...rest } = cases.find((each) => each.profile === mbedtlsServer) as Case
      const plain = { ...profile, names: { ...profile.names, addressesAsDns: false } }
      const files = written(context, leafOf({ ...rest, profile: plain }))
      assert.equal((await judge(files, '10.3.0.11', purposes.server))[1], mismatch)
    })

    test('does not read Ed25519 keys, which is why a profile for it cannot allow them', async (context) => {
      const files = written(context, leafOf(cases.find((each) => each.profile === ed25519) as Case))
      assert.notEqual((await judge(files, '', purposes.client))[0], '0')
    })
  },
)
