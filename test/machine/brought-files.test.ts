/** A server certificate that the operator brings: what is refused, for which names it is shown, and when it changes. */
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { isForName, readBroughtCertificate } from '../../src/hub/brought-certificate.ts'
import { openBroughtFiles } from '../../src/machine/brought-files.ts'
import { LogBook, StandingClock } from '../support/hub-parts.ts'
import { needs } from '../support/programs.ts'
import { type BroughtPair, contentOf, publicAuthority } from '../support/public-authority.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const nowSec = (): number => Math.floor(Date.now() / 1000)
const opensslTime = (atSec: number): string =>
  new Date(atSec * 1000)
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, '')
    .slice(2)

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, 'server-certificate-unusable')
    assert.doesNotMatch(error.message, /PRIVATE KEY/)
    return error.message
  }
  return assert.fail('it was taken')
}

async function setUp(context: TestContext) {
  const folder = temporaryFolder(context)
  const authority = await publicAuthority(folder)
  return { folder, authority }
}

function read(pair: BroughtPair, changes: Partial<{ certificate: string; key: string }> = {}) {
  const { certificate, key } = { ...contentOf(pair), ...changes }
  return readBroughtCertificate(certificate, new Secret(key), nowSec())
}

describe('a server certificate that the operator brings', needs('openssl'), () => {
  test('is taken with its chain, and its names are those of its DNS SANs', async (context) => {
    const { authority } = await setUp(context)
    const pair = await authority.issue('api', { san: 'DNS:API.plant.example,DNS:*.web.example,IP:192.0.2.1' })
    const brought = read(pair, { certificate: contentOf(pair).certificate + readFileSync(authority.root, 'utf8') })
    assert.deepEqual(brought.dnsNames, ['api.plant.example', '*.web.example'])
    assert.equal(brought.chain.match(/BEGIN CERTIFICATE/g)?.length, 2)
  })

  test('is refused where a client would refuse it, each time for its reason', async (context) => {
    const { folder, authority } = await setUp(context)
    const good = await authority.issue('good', { san: 'DNS:api.plant.example' })
    const other = await authority.issue('other', { san: 'DNS:other.plant.example' })
    const root = readFileSync(authority.root, 'utf8')
    assert.match(
      refusal(() => read(good, { key: contentOf(other).key })),
      /key belongs to another certificate/,
    )
    assert.match(
      refusal(() => read(good, { key: 'no key' })),
      /key .* cannot be read/,
    )
    assert.match(
      refusal(() => read(good, { certificate: 'no certificate' })),
      /no certificate in PEM/,
    )
    assert.match(
      refusal(() => read(good, { certificate: contentOf(good).certificate + contentOf(other).certificate })),
      /certificate 2 in its file did not issue/,
    )
    assert.match(
      refusal(() => read(good, { certificate: root + contentOf(good).certificate })),
      /that of an authority/,
    )
    assert.match(
      refusal(() => read(good, { certificate: contentOf(good).certificate.repeat(limits.broughtChainMax + 1) })),
      /more than 8/,
    )
    const ended = await authority.issue('ended', {
      ...{ san: 'DNS:api.plant.example', notBefore: opensslTime(nowSec() - 7_200) },
      notAfter: opensslTime(nowSec() - 3_600),
    })
    assert.match(
      refusal(() => read(ended)),
      /it ended at /,
    )
    const early = await authority.issue('early', {
      ...{ san: 'DNS:api.plant.example', notBefore: opensslTime(nowSec() + 3_600) },
      notAfter: opensslTime(nowSec() + 7_200),
    })
    assert.match(
      refusal(() => read(early)),
      /it begins at /,
    )
    const client = await authority.issue('client', { san: 'DNS:api.plant.example', keyUsage: 'clientAuth' })
    assert.match(
      refusal(() => read(client)),
      /not for servers/,
    )
    const nameless = await authority.issue('nameless', { san: 'IP:192.0.2.1' })
    assert.match(
      refusal(() => read(nameless)),
      /no DNS name/,
    )
    const weak = await authority.issue('weak', { san: 'DNS:api.plant.example', newkey: 'rsa:1024' })
    assert.match(
      refusal(() => read(weak)),
      /OpenSSL does not serve it/,
    )
    const locked = join(folder, 'locked.key')
    await run('openssl', ['pkey', '-in', good.key, '-aes256', '-passout', 'pass:secret words', '-out', locked])
    assert.match(
      refusal(() => read(good, { key: readFileSync(locked, 'utf8') })),
      /key .* cannot be read/,
    )
  })
})

test('a wildcard is for one label and not for the name above it', () => {
  const certificate = { dnsNames: ['api.plant.example', '*.web.example'] }
  for (const name of ['api.plant.example', 'API.Plant.Example', 'a.web.example']) {
    assert.ok(isForName(certificate, name), name)
  }
  for (const name of ['web.example', 'a.b.web.example', 'plant.example', 'example', '', 'x.api.plant.example']) {
    assert.ok(!isForName(certificate, name), name)
  }
})

describe('the files of a brought certificate', needs('openssl'), () => {
  async function opened(context: TestContext, san: string, deviceNames: readonly string[]) {
    const { folder, authority } = await setUp(context)
    const pair = await authority.issue('first', { san })
    const hub = { clock: new StandingClock(Date.now()), log: new LogBook() }
    const open = () => {
      const files = openBroughtFiles(hub, pair, deviceNames)
      context.after(() => files.stop())
      return files
    }
    return { ...hub, folder, authority, pair, open }
  }

  test('are shown for their names and never for one that devices use', async (context) => {
    const { open, log } = await opened(context, 'DNS:api.plant.example,DNS:hub.plant.example', ['hub.plant.example'])
    const files = open()
    assert.notEqual(files.forName('api.plant.example'), null)
    assert.equal(files.forName('hub.plant.example'), null)
    assert.equal(files.forName('HUB.plant.example'), null)
    assert.equal(files.forName('elsewhere.example'), null)
    assert.ok(log.lines.some(({ level, fields }) => level === 'warn' && String(fields.names) === 'hub.plant.example'))
  })

  test('are refused at the start where they could never be shown', async (context) => {
    const { open } = await opened(context, 'DNS:hub.plant.example', ['hub.plant.example'])
    assert.match(refusal(open), /which devices call this hub/)
  })

  test('are read again when they change, and a pair that does not fit changes nothing', async (context) => {
    const { open, authority, clock, pair, log } = await opened(context, 'DNS:api.plant.example', [])
    const files = open()
    const first = files.forName('api.plant.example')
    files.look()
    assert.equal(files.forName('api.plant.example'), first)

    const second = await authority.issue('second', { san: 'DNS:api.plant.example,DNS:new.plant.example' })
    // OpenSSL dates it by the machine's clock, which may have gone on by a second.
    clock.advance(60_000)
    copyFileSync(second.certificate, pair.certificate)
    files.look()
    assert.equal(files.forName('api.plant.example'), first)
    assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
    files.look()
    assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)

    copyFileSync(second.key, pair.key)
    files.look()
    assert.notEqual(files.forName('new.plant.example'), null)

    writeFileSync(pair.key, '')
    files.look()
    assert.notEqual(files.forName('new.plant.example'), null)
  })

  test('are warned of before they end, and not shown afterwards', async (context) => {
    const { open, clock, log } = await opened(context, 'DNS:api.plant.example', [])
    const files = open()
    files.look()
    assert.equal(log.lines.filter(({ message }) => message.endsWith('ends soon')).length, 1)
    clock.advance(11 * 86_400_000)
    assert.equal(files.forName('api.plant.example'), null)
    files.look()
    files.look()
    assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
  })

  test('that cannot be read are named', async (context) => {
    const { folder } = await setUp(context)
    const hub = { clock: new StandingClock(Date.now()), log: new LogBook() }
    const none = { certificate: join(folder, 'none.pem'), key: join(folder, 'none.key') }
    assert.match(
      refusal(() => openBroughtFiles(hub, none, [])),
      /none\.pem" cannot be read: there is no such file/,
    )
    writeFileSync(none.certificate, 'x'.repeat(limits.broughtFileBytesMax + 1))
    assert.match(
      refusal(() => openBroughtFiles(hub, none, [])),
      /larger than/,
    )
  })
})
