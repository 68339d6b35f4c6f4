/** Enrolment and renewal at an EST server that is not ours: GlobalSign's, in Go, built from the version that is fixed beside it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { OpensslAuthority } from '../device/est-authority.ts'
import { freePort } from '../support/free-port.ts'
import { repository } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { type Finished, run } from '../support/run.ts'
import { needsToken, softToken } from '../support/soft-token.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const launcher = join(repository, 'bin/handfast.js')

function handfast(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return run(process.execPath, [launcher, ...args], { env })
}

function certificateIn(folder: string): X509Certificate {
  return new X509Certificate(readFileSync(join(folder, 'client_cert.pem')))
}

/** Null where Go cannot fetch what it is made of. */
async function builtServer(folder: string): Promise<string | null> {
  const program = join(folder, 'estserver')
  const { status } = await run('go', ['build', '-o', program, 'github.com/globalsign/est/cmd/estserver'], {
    cwd: join(import.meta.dirname, '../foreign/estserver'),
    timeoutMs: 300_000,
  })
  return status === 0 ? program : null
}

test("GlobalSign's EST server enrols a device, and its agent renews there", needs('go', 'openssl'), async (t) => {
  const folder = temporaryFolder(t)
  const program = await builtServer(folder)
  if (program === null) return t.skip('Go cannot build the EST server here')
  const authority = new OpensslAuthority()
  t.after(() => authority.remove())
  const { key, certificate } = authority.endEntity('localhost', 'DNS:localhost')
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const port = await freePort()
  const configuration = {
    mock_ca: {
      certificates: file('ca-chain.pem', authority.read('issuing.pem') + authority.read('root.pem')),
      private_key: authority.path('issuing.key'),
    },
    tls: {
      listen_address: `127.0.0.1:${port}`,
      certificates: file('server.pem', certificate),
      private_key: file('server.key', key),
      client_cas: [authority.path('root.pem')],
    },
    rate_limit: 1_000,
    timeout: 30,
  }
  const child = spawn(program, ['-config', file('server.json', JSON.stringify(configuration))], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  })
  while (!(await isListening(port))) {
    assert.equal(child.exitCode, null, 'the server has ended')
    await delay(20, undefined, { signal: t.signal })
  }
  const at = ['--est-url', `https://localhost:${port}`, '--ca', authority.path('root.pem')]

  await t.test('with a key that is made here', async () => {
    const device = join(folder, 'pump-7')
    const enrolled = await handfast(['enrol', '--dir', device, '--id', 'pump-7', ...at])
    assert.equal(enrolled.status, 0, enrolled.stderr)
    const first = certificateIn(device)
    assert.match(first.subject, /CN=pump-7/)
    assert.ok(existsSync(join(device, 'private_key.pem')))

    const notDue = await handfast(['agent', 'renew', '--if-needed', '--dir', device])
    assert.equal(notDue.status, 3, notDue.stderr)
    const renewed = await handfast(['agent', 'renew', '--dir', device])
    assert.equal(renewed.status, 0, renewed.stderr)
    assert.doesNotMatch(renewed.stderr, /warning/, 'nothing was asked that the standard does not know')
    const next = certificateIn(device)
    assert.notEqual(next.serialNumber, first.serialNumber)
    assert.ok(!next.publicKey.equals(first.publicKey), 'with a new key')
  })

  await t.test('with a request that was made elsewhere, under a label, and a user', async () => {
    const request = join(folder, 'request.pem')
    const made = ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', join(folder, 'request.key')]
    await run('openssl', [...made, '-subj', '/CN=pump-8', '-out', request])
    const device = join(folder, 'pump-8')
    const place = ['--est-url', `https://localhost:${port}/.well-known/est/plant`, '--ca', authority.path('root.pem')]
    const who = ['--user', 'plant', '--password-file', file('password', 'correct horse\n')]
    const args = ['enrol', '--dir', device, '--id', 'pump-8', ...place, ...who, '--csr', request]
    const { status, stderr } = await handfast(args)
    assert.equal(status, 0, stderr)
    assert.equal(certificateIn(device).publicKey.asymmetricKeyType, 'rsa')
  })

  await t.test('a server that is of another root is told nothing', async () => {
    const other = file('other.pem', authority.selfSigned('another').certificate)
    const place = ['--est-url', `https://localhost:${port}`, '--ca', other]
    const { status, stderr } = await handfast(['enrol', '--dir', join(folder, 'pump-9'), '--id', 'pump-9', ...place])
    assert.notEqual(status, 0)
    assert.match(stderr, /did not prove/)
    assert.equal(existsSync(join(folder, 'pump-9', 'client_cert.pem')), false)
  })

  await t.test('with a key in a token', needsToken(), async () => {
    const token = softToken(join(folder, 'token'), 'EC:prime256v1')
    const device = join(folder, 'pump-10')
    const key = ['--key-uri', token.uri, '--pkcs11-module', token.modulePath]
    const enrolled = await handfast(['enrol', '--dir', device, '--id', 'pump-10', ...at, ...key], token.env)
    assert.equal(enrolled.status, 0, enrolled.stderr)
    const first = certificateIn(device)
    const renewed = await handfast(['agent', 'renew', '--dir', device], token.env)
    assert.equal(renewed.status, 0, renewed.stderr)
    assert.notEqual(certificateIn(device).serialNumber, first.serialNumber)
  })
})

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const answer = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}
