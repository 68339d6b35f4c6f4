/** curl and OpenSSL as a stock EST client against a real hub, and what they and GnuTLS say to what it issued. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { AttemptView, BootstrapView, PageView, ProblemView } from '../../src/api-schema/views.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { type HubProcess, hubOfFile, startHubProcess } from '../support/hub-process.ts'
import { needs, programPath } from '../support/programs.ts'
import { type Finished, run } from '../support/run.ts'
import { shellBlocks } from '../support/shell-page.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { publish } from './mosquitto.ts'

const stockClient = needs('curl', 'openssl')

/** Standard output of a program that must end well. */
async function output(program: string, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run(programPath(program) ?? program, args)
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`)
  return stdout
}

const openssl = (...args: readonly string[]): Promise<string> => output('openssl', args)

/** Registers a device and answers with its bootstrap string and the token in it. */
async function registered(hub: HubProcess, id: string): Promise<{ bootstrap: string; token: string }> {
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', id])
  return { bootstrap, token: parseBootstrap(new Secret(bootstrap)).token.reveal() }
}

interface KeyFiles {
  readonly key: string
  /** The certificate request, base64 of DER. */
  readonly request: string
}

const keyKinds = {
  'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'RSA-2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'RSA-1024': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
  Ed25519: ['-algorithm', 'ED25519'],
} as const

/** A key and a request, both made by OpenSSL. */
async function keyAndRequest(
  folder: string,
  name: string,
  kind: keyof typeof keyKinds,
  subject: string,
  options: readonly string[] = [],
): Promise<KeyFiles> {
  const [key, der, request] = [join(folder, `${name}.key`), join(folder, `${name}.der`), join(folder, `${name}.b64`)]
  await openssl('genpkey', ...keyKinds[kind], '-out', key)
  await openssl('req', '-new', '-key', key, '-subj', subject, '-outform', 'DER', '-out', der, ...options)
  await openssl('base64', '-in', der, '-out', request)
  return { key, request }
}

interface CurlAnswer {
  readonly status: number
  readonly headers: string
  readonly body: string
}

const pkcs10 = 'Content-Type: application/pkcs10'

/** `POST simpleenroll` as curl sends it; the password goes through standard input. */
async function simpleEnrol(
  hub: HubProcess,
  user: string | null,
  file: string,
  headers: readonly string[] = [pkcs10],
): Promise<CurlAnswer> {
  const { status, stdout, stderr } = await run(
    'curl',
    [
      ...['--silent', '--show-error', '--include', '--config', '-', '--cacert', hub.ca],
      ...headers.flatMap((header) => ['--header', header]),
      ...['--data-binary', `@${file}`],
      `https://localhost:${hub.https.port}/.well-known/est/simpleenroll`,
    ],
    { input: user === null ? '' : `user = "${user}"\n` },
  )
  assert.equal(status, 0, stderr)
  const end = stdout.indexOf('\r\n\r\n')
  const head = stdout.slice(0, end)
  return { status: Number(/^HTTP\/\S+ (\d{3})/.exec(head)?.[1]), headers: head, body: stdout.slice(end + 4) }
}

/** The answer is a problem with this status and code. */
function assertProblem({ status, headers, body }: CurlAnswer, expected: number, code: string): ProblemView {
  assert.equal(status, expected, body)
  assert.match(headers, /^content-type: application\/problem\+json/im)
  const problem = JSON.parse(body) as ProblemView
  assert.equal(problem.code, code)
  return problem
}

/** The certificates in an answer, in PEM, as OpenSSL unpacks them. */
async function unpacked(folder: string, name: string, body: string): Promise<string> {
  const [b64, der, pem] = [join(folder, `${name}.p7.b64`), join(folder, `${name}.p7`), join(folder, `${name}.pem`)]
  writeFileSync(b64, body)
  await openssl('base64', '-d', '-in', b64, '-out', der)
  await openssl('pkcs7', '-inform', 'DER', '-in', der, '-print_certs', '-out', pem)
  return pem
}

async function fetchedCrl(folder: string, certificate: string): Promise<string> {
  const [der, pem] = [join(folder, 'issuing.crl'), join(folder, 'issuing.crl.pem')]
  const text = await openssl('x509', '-in', certificate, '-noout', '-ext', 'crlDistributionPoints')
  const url = /URI:(\S+)/.exec(text)?.[1] ?? ''
  await output('curl', ['--silent', '--show-error', '--fail', '--output', der, url])
  await openssl('crl', '-inform', 'DER', '-in', der, '-out', pem)
  return pem
}

const hubHere = hubOfFile()

test('the page about EST works as it stands, from the bootstrap string to the CRL', stockClient, async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const { bootstrap } = await registered(hub, 'pump-7')
  const blocks = shellBlocks('docs/est.md')
  assert.deepEqual(
    [...blocks.keys()].map((heading) => heading.split(' ')[0]),
    ['1.', '2.', '3.', '4.', '5.', '6.', 'The', 'A', 'Profiles'],
  )
  const withoutMosquitto = needs('mosquitto_pub').skip !== false
  const script = [...blocks]
    .filter(([heading]) => !(withoutMosquitto && heading.startsWith('5.')))
    .map(([, body]) => body)
    .join('\n')
  const { status, stdout, stderr } = await run('sh', ['-eu', '-c', script], {
    cwd: folder,
    env: { BOOTSTRAP: bootstrap },
  })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  assert.match(stdout, /subject=CN = pump-7/)
  assert.match(stdout, /client_cert\.pem: OK/)
  assert.match(stdout, /"state":"active"/)
  assert.match(stdout, /OBJECT +:1\.2\.840\.113549\.1\.9\.16\.2\.61/)

  await t.test('and stops before the token is sent when the root is another', async () => {
    const apart = temporaryFolder(t)
    const forged = bootstrap.replace(/\/[0-9a-f]{64}\//, `/${'0'.repeat(64)}/`)
    const stopped = await run('sh', ['-eu', '-c', script], { cwd: apart, env: { BOOTSTRAP: forged } })
    assert.notEqual(stopped.status, 0)
    assert.equal(existsSync(join(apart, 'answer.b64')), false)
  })
})

test(
  'curl fetches the CA certificates, and OpenSSL finds the root and then the issuing authority in them',
  stockClient,
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await hubHere()
    const url = `https://localhost:${hub.https.port}/.well-known/est/cacerts`
    const answer = await output('curl', ['--silent', '--show-error', '--include', '--cacert', hub.ca, url])
    const [headers = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(headers, /^HTTP\/1\.1 200 /)
    assert.match(headers, /^content-type: application\/pkcs7-mime\r?$/im)
    assert.ok(!/content-transfer-encoding/i.test(headers))
    const pem = readFileSync(await unpacked(folder, 'cacerts', body), 'utf8')
    const found = [...pem.matchAll(/^subject=(.*)$/gm)].map(([, subject]) => subject)
    assert.equal(found.length, 2)
    assert.match(found[0] ?? '', / root /)
    assert.match(found[1] ?? '', / issuing /)
    const [root] = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n/.exec(pem) ?? []
    assert.equal(root, readFileSync(hub.ca, 'utf8'))
  },
)

test(
  'a stock client enrols with each kind of key, and its certificate opens the gate',
  needs('curl', 'openssl', 'mosquitto_pub'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await hubHere()
    const cases: readonly [id: string, kind: keyof typeof keyKinds, subject: string][] = [
      ['p256', 'P-256', '/CN=p256'],
      ['p384', 'P-384', '/CN=p384'],
      ['rsa', 'RSA-2048', '/CN=rsa'],
      ['nameless', 'P-256', '/'],
    ]
    for (const [id, kind, subject] of cases) {
      await t.test(`${kind} with the subject ${subject}`, async () => {
        const { token } = await registered(hub, id)
        const { key, request } = await keyAndRequest(folder, id, kind, subject)
        const answer = await simpleEnrol(hub, `${id}:${token}`, request)
        assert.equal(answer.status, 200, answer.body)
        assert.match(answer.headers, /^content-type: application\/pkcs7-mime; ?smime-type=certs-only\r?$/im)
        const cert = await unpacked(folder, id, answer.body)
        assert.match(await openssl('x509', '-in', cert, '-noout', '-subject'), new RegExp(`^subject=CN = ${id}$`, 'm'))
        assert.equal(
          await openssl('x509', '-in', cert, '-noout', '-pubkey'),
          await openssl('pkey', '-in', key, '-pubout'),
        )
        const files = { id, folder, ca: hub.ca, cert, key }
        const sent = await publish(hub, files, 'mqttv5', ['-t', `devices/${id}/x`, '-q', '1', '-m', 'x'])
        assert.equal(sent.status, 0, sent.stderr)
      })
    }
  },
)

test(
  'a request sent twice gets the same certificate, until that one has been used',
  needs('curl', 'openssl', 'mosquitto_pub'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await hubHere()
    const { token } = await registered(hub, 'pump-2')
    const { key, request } = await keyAndRequest(folder, 'first', 'P-256', '/CN=pump-2')
    const first = await simpleEnrol(hub, `pump-2:${token}`, request)
    const second = await simpleEnrol(hub, `:${token}`, request)
    assert.equal(second.status, 200, second.body)
    assert.equal(second.body, first.body)

    const other = await keyAndRequest(folder, 'other', 'P-256', '/CN=pump-2')
    const refused = assertProblem(await simpleEnrol(hub, `pump-2:${token}`, other.request), 401, 'token-used')
    assert.match(refused.hint, /revoke the device/)

    const cert = await unpacked(folder, 'first', first.body)
    const files = { id: 'pump-2', folder, ca: hub.ca, cert, key }
    assert.equal((await publish(hub, files, 'mqttv5', ['-t', 'devices/pump-2/x', '-m', 'x'])).status, 0)
    assertProblem(await simpleEnrol(hub, `pump-2:${token}`, request), 401, 'token-used')
  },
)

test('what a stock client does wrong is named', stockClient, async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const { token } = await registered(hub, 'pump-7')
  const user = `pump-7:${token}`
  const { key, request } = await keyAndRequest(folder, 'good', 'P-256', '/CN=pump-7')

  await t.test('no token: 401 with the challenge that makes clients ask for one', async () => {
    const answer = await simpleEnrol(hub, null, request)
    assertProblem(answer, 401, 'token-missing')
    assert.match(answer.headers, /^www-authenticate: Basic realm="handfast"/im)
  })

  await t.test('a wrong token: 401 with the challenge', async () => {
    const wrong = token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    const answer = await simpleEnrol(hub, `pump-7:${wrong}`, request)
    assertProblem(answer, 401, 'token-invalid')
    assert.match(answer.headers, /^www-authenticate: Basic /im)
  })

  await t.test('PEM instead of base64 of DER', async () => {
    const pem = join(folder, 'good.pem')
    await openssl('req', '-new', '-key', key, '-subj', '/CN=pump-7', '-out', pem)
    const { detail, hint } = assertProblem(await simpleEnrol(hub, user, pem), 400, 'csr-unreadable')
    assert.match(detail, /PEM/)
    assert.match(hint, /-outform DER/)
  })

  await t.test('the content type that curl chooses when none is given', async () => {
    const answer = await simpleEnrol(hub, user, request, ['Content-Type: application/x-www-form-urlencoded'])
    assert.match(assertProblem(answer, 400, 'csr-unreadable').detail, /application\/pkcs10/)
  })

  const requests: readonly [
    what: string,
    code: string,
    status: number,
    kind: keyof typeof keyKinds,
    subject: string,
    options: readonly string[],
  ][] = [
    ['a signature with SHA-1', 'csr-signature-invalid', 400, 'P-256', '/CN=pump-7', ['-sha1']],
    ['RSA with 1024 bits', 'csr-key-unacceptable', 400, 'RSA-1024', '/CN=pump-7', []],
    ['Ed25519', 'csr-key-unacceptable', 400, 'Ed25519', '/CN=pump-7', []],
    ['the name of another device', 'csr-asks-too-much', 403, 'P-256', '/CN=pump-8', []],
    ['more in the subject than a name', 'csr-asks-too-much', 403, 'P-256', '/O=Plant/CN=pump-7', []],
    ['to be a CA', 'csr-asks-too-much', 403, 'P-256', '/CN=pump-7', ['-addext', 'basicConstraints=critical,CA:TRUE']],
    [
      'another name for a server',
      'csr-asks-too-much',
      403,
      'P-256',
      '/CN=pump-7',
      ['-addext', 'subjectAltName=DNS:hub'],
    ],
  ]
  for (const [what, code, status, kind, subject, options] of requests) {
    await t.test(`a request with ${what}`, async () => {
      const { request: odd } = await keyAndRequest(folder, 'odd', kind, subject, options)
      assertProblem(await simpleEnrol(hub, user, odd), status, code)
    })
  }

  await t.test('a body that is too large, announced or in chunks', async () => {
    const large = join(folder, 'large')
    writeFileSync(large, 'A'.repeat(limits.estBodyBytesMax + 1))
    assertProblem(await simpleEnrol(hub, user, large), 413, 'request-too-large')
    assertProblem(await simpleEnrol(hub, user, large, [pkcs10, 'Transfer-Encoding: chunked']), 413, 'request-too-large')
  })

  await t.test('after all of that the token still works, and each refusal stands in the attempts', async () => {
    assert.equal((await simpleEnrol(hub, user, request)).status, 200)
    const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--failed'])
    const codes = new Set(items.filter(({ listener }) => listener === 'est').map(({ code }) => code))
    for (const code of ['token-missing', 'token-invalid', 'csr-unreadable', ...requests.map(([, name]) => name)]) {
      assert.ok(codes.has(code), code)
    }
    assert.ok(!JSON.stringify(items).includes(token.slice(17)))
  })
})

test(
  'OpenSSL and GnuTLS follow a certificate and its CRL, before and after it is revoked',
  needs('curl', 'openssl', 'certtool'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await hubHere()
    const { cert } = await hub.enrolled('pump-3', join(folder, 'pump-3'))
    const strict = ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', hub.ca, '-untrusted', cert]
    const byOpenssl = (crl: string): Promise<Finished> =>
      run('openssl', [...strict, '-crl_check', '-CRLfile', crl, cert])
    const byGnutls = (crl: string): Promise<Finished> =>
      run('certtool', ['--verify', '--infile', cert, '--load-ca-certificate', hub.ca, '--load-crl', crl])

    await t.test('good while it is not revoked, on a list that verifies itself', async () => {
      const crl = await fetchedCrl(folder, cert)
      const found = await byOpenssl(crl)
      assert.equal(found.status, 0, found.stderr)
      const gnutls = await byGnutls(crl)
      assert.equal(gnutls.status, 0, gnutls.stdout)
      assert.match(gnutls.stdout, /Chain verification output: Verified/)
      const issuing = await unpacked(folder, 'cacerts', await cacerts(hub))
      const own = await run('openssl', ['crl', '-in', crl, '-noout', '-CAfile', issuing])
      assert.match(own.stderr, /verify OK/)
    })

    await t.test('found by OpenSSL itself, which fetches the list from the address in the certificate', async () => {
      const found = await run('openssl', [...strict, '-crl_check', '-crl_download', cert])
      assert.equal(found.status, 0, found.stderr)
    })

    await t.test('revoked once the list says so, with its reason', async () => {
      const serial = /serial=([0-9A-F]+)/.exec(await openssl('x509', '-in', cert, '-noout', '-serial'))?.[1] ?? ''
      await hub.json(['revoke', 'pump-3', '--reason', 'keyCompromise'])
      const { crl, text } = await crlThatHolds(folder, cert, serial)
      assert.match(text, /Key Compromise/)
      const found = await byOpenssl(crl)
      assert.notEqual(found.status, 0)
      assert.match(found.stderr, /certificate revoked/)
      const gnutls = await byGnutls(crl)
      assert.notEqual(gnutls.status, 0)
      assert.match(gnutls.stdout, /revoked/)
    })
  },
)

test(
  'OpenSSL verifies the hub by name on each TLS listener, with TLS 1.2 and 1.3 and nothing older',
  needs('openssl'),
  async (t) => {
    const hub = await hubHere()
    const handshake = (port: number, args: readonly string[]): Promise<Finished> =>
      run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', hub.ca, '-verify_return_error', ...args])

    for (const [listener, { port }] of Object.entries({ MQTT: hub.mqtt, HTTPS: hub.https })) {
      for (const [option, protocol] of [
        ['-tls1_2', 'TLSv1.2'],
        ['-tls1_3', 'TLSv1.3'],
      ] as const) {
        await t.test(`${listener} with ${protocol}`, async () => {
          const names = ['-servername', 'localhost', '-verify_hostname', 'localhost', '-x509_strict']
          const { status, stdout, stderr } = await handshake(port, [option, ...names, '-purpose', 'sslserver'])
          assert.equal(status, 0, stderr)
          assert.match(stdout, /Verify return code: 0 \(ok\)/)
          assert.match(stdout, new RegExp(`New, ${protocol}, Cipher is (?:TLS_|ECDHE-ECDSA-)`))
          const byAddress = await handshake(port, [option, '-verify_ip', '127.0.0.1'])
          assert.equal(byAddress.status, 0, byAddress.stderr)
        })
      }

      await t.test(`${listener} under a name that is not the hub's`, async () => {
        const { status, stderr } = await handshake(port, ['-verify_hostname', 'other.example'])
        assert.notEqual(status, 0)
        assert.match(stderr, /hostname mismatch/i)
      })

      await t.test(`${listener} refuses TLS 1.1, and key exchange without forward secrecy`, async () => {
        const old = await handshake(port, ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'])
        assert.notEqual(old.status, 0)
        assert.match(old.stderr, /alert protocol version/)
        const { status, stderr } = await handshake(port, ['-tls1_2', '-cipher', 'kRSA'])
        assert.notEqual(status, 0)
        assert.match(stderr, /handshake failure/)
      })
    }
  },
)

function cacerts(hub: HubProcess): Promise<string> {
  const url = `https://localhost:${hub.https.port}/.well-known/est/cacerts`
  return output('curl', ['--silent', '--show-error', '--fail', '--cacert', hub.ca, url])
}

/** Asks for the list until the serial number stands on it; one is made within a second of a revocation. */
async function crlThatHolds(folder: string, cert: string, serial: string): Promise<{ crl: string; text: string }> {
  const untilMs = Date.now() + 10_000
  for (;;) {
    const crl = await fetchedCrl(folder, cert)
    const text = await openssl('crl', '-in', crl, '-noout', '-text')
    if (text.includes(serial)) return { crl, text }
    assert.ok(Date.now() < untilMs, `${serial} is not on the list:\n${text}`)
    await delay(50)
  }
}
