import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { hubStatus, incident } from '../../src/api-schema/examples.ts'
import { type Finished, type RunOptions, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type ApiAnswer, type ApiRequest, FakeHub, problem } from './fake-hub.ts'

const launcher = join(import.meta.dirname, '../../bin/handfast.js')

function handfast(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(process.execPath, [launcher, ...args], options)
}

const device = {
  id: 'pump-7',
  kind: 'device',
  state: 'active',
  group: 'line-1',
  attributes: { site: 'Ulm' },
  profiles: ['device'],
  dnsNames: [],
  ipAddresses: [],
  emails: [],
  createdAt: '2026-11-01T08:00:00.000Z',
  updatedAt: '2026-11-01T08:00:00.000Z',
}
const bootstrap = `handfast://hub:8443/pump-7/8883/${'a'.repeat(64)}/0123456789abcdef.${'s'.repeat(43)}`

describe('the command line', () => {
  test('says its version and its help on standard output', async () => {
    assert.deepEqual(await handfast(['--version']), { status: 0, stdout: '0.1.0\n', stderr: '' })
    const help = await handfast(['help'])
    assert.equal(help.status, 0)
    assert.match(help.stdout, /^Usage: handfast/)
    for (const name of ['up', 'device', 'enrol', 'revoke', 'attempts', 'audit', 'status', 'simulate']) {
      assert.match(help.stdout, new RegExp(`^ {2}${name} `, 'm'))
      assert.equal((await handfast([name, '--help'])).status, 0, name)
    }
  })

  test('without a command ends with the status of a usage error', async () => {
    const { status, stdout, stderr } = await handfast([])
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^Usage: handfast/)
  })

  test('suggests the command that was meant', async () => {
    const { status, stderr } = await handfast(['devcie'])
    assert.equal(status, 2)
    assert.equal(
      stderr,
      'error: unknown command "devcie"\n  code: HF-8101 usage\n  hint: did you mean device? See `npx handfast help`\n',
    )
  })

  test('names an option that it does not know and a value that it cannot read', async () => {
    assert.match(
      (await handfast(['status', '--jsn'])).stderr,
      /^error: unknown option "--jsn"\n.*\n {2}hint: did you mean --json\?/,
    )
    const { status, stderr } = await handfast(['device', 'add', 'pump-7', '--token-ttl', 'soon'])
    assert.equal(status, 2)
    assert.match(
      stderr,
      /^error: --token-ttl "soon" is not a duration\n {2}code: HF-8101 usage\n {2}hint: write it as in 90s/,
    )
    const bare = await handfast(['device', 'add'])
    assert.equal(bare.status, 2)
    assert.match(bare.stderr, /hint: see `npx handfast device add --help`/)
    assert.equal((await handfast(['revoke'])).status, 2)
    assert.equal((await handfast(['revoke', 'pump-7', '--serial', '0a'])).status, 2)
  })

  test('names option, value and what is possible before anything is sent', async () => {
    const refusals: readonly (readonly [readonly string[], string])[] = [
      [['device', 'add', 'p', '--token-ttl', '0s'], '--token-ttl "0s" is too short: give 60s to 30d'],
      [['device', 'list', '--state', 'foo'], '--state "foo" is not one of pending, active, disabled, retired'],
      [['simulate', '--devices', '1', '--interval', '0'], '--interval "0" is not a whole number from 1 to 86400000'],
      [['simulate', '--devices', '1', '--prefix', 'a b'], '--prefix "a b" cannot begin the id of a device'],
      [['device', 'add', 'p', '--attr', 'a=1', '--attr', 'a=2'], '--attr "a=2" gives "a" again'],
      [['attempts', '--cause', 'HF-210'], '--cause "HF-210" is not a failure'],
      [['attempts', '--since', 'noon'], '--since "noon" is not a time'],
      [['attempts', '--cases', '--follow'], '--follow shows attempts one by one, and --cases shows them together'],
    ]
    for (const [args, message] of refusals) {
      const { status, stderr } = await handfast(args)
      assert.equal(status, 2, message)
      assert.ok(stderr.startsWith(`error: ${message}\n`), stderr)
    }
  })

  test('names a mistyped option rather than the one that is missing because of it', async () => {
    const { status, stderr } = await handfast(['roots', '--drr', 'pump-7'])
    assert.equal(status, 2)
    assert.match(stderr, /^error: unknown option "--drr"\n.*\n {2}hint: did you mean --dir\?/)
  })

  test('lists the subcommands where one is missing', async () => {
    const { status, stderr } = await handfast(['device'])
    assert.equal(status, 2)
    assert.match(
      stderr,
      /^error: "device" needs a subcommand: add, token, files, list, show, set, import, export, waiting, approve, refuse, disable, enable, renew, release, retire\n/,
    )
  })

  test('without a hub says what to do, as text and as JSON', async (context) => {
    const data = temporaryFolder(context)
    const text = await handfast(['status', '--data', data])
    assert.equal(text.status, 6)
    assert.equal(text.stdout, '')
    assert.match(
      text.stderr,
      /^error: no hub runs on the data directory ".*"\n {2}code: HF-8108 hub-not-found\n {2}hint: /,
    )
    const json = await handfast(['status', '--data', data, '--json'])
    assert.equal(json.status, 6)
    const { error } = JSON.parse(json.stderr)
    assert.equal(error.code, 'hub-not-found')
    assert.equal(error.failureId, 'HF-8108')
    assert.ok(error.message && error.hint)
  })

  test('reports every wrong setting of a hub before anything is started', async (context) => {
    const { status, stderr } = await handfast(['up', '--mqtt-port', '99999', '--log-level', 'loud'], {
      cwd: temporaryFolder(context),
    })
    assert.equal(status, 2)
    assert.match(stderr, /2 settings are not valid:\n {2}- --mqtt-port: "99999".*\n {2}- --log-level: "loud"/)
    assert.match(stderr, /code: HF-8102 config-invalid/)
  })
})

describe('commands that ask a hub', () => {
  async function hubAt(context: TestContext, answer: (request: ApiRequest) => ApiAnswer): Promise<FakeHub> {
    const hub = await FakeHub.start(temporaryFolder(context), answer)
    context.after(() => hub.stop())
    return hub
  }

  test('`device add` prints the bootstrap string alone, so that it can be piped', async (context) => {
    const view = { device, bootstrap, tokenExpiresAt: '2026-11-02T08:00:00.000Z' }
    const hub = await hubAt(context, () => ({ status: 201, body: view }))
    const args = ['device', 'add', 'pump-7', '--group', 'line-1', '--attr', 'site=Ulm', '--attr', 'a=b=c']
    const text = await handfast([...args, '--token-ttl', '30m', '--data', hub.data])
    assert.deepEqual(text, { status: 0, stdout: `${bootstrap}\n`, stderr: '' })
    assert.deepEqual(hub.requests[0]?.body, {
      id: 'pump-7',
      group: 'line-1',
      attributes: { site: 'Ulm', a: 'b=c' },
      tokenLifetimeSec: 1800,
    })
    const json = await handfast(['device', 'add', 'pump-7', '--data', hub.data, '--json'])
    assert.deepEqual(JSON.parse(json.stdout), view)
  })

  test('`device list --all` follows the pages', async (context) => {
    const hub = await hubAt(context, ({ url }) =>
      url.includes('after=pump-7')
        ? { status: 200, body: { items: [{ ...device, id: 'pump-8', group: null }], next: null } }
        : { status: 200, body: { items: [device], next: 'pump-7' } },
    )
    const { stdout } = await handfast(['device', 'list', '--all', '--data', hub.data])
    assert.deepEqual(stdout.split('\n'), [
      'ID      STATE   GROUP   REGISTERED            ATTRIBUTES',
      'pump-7  active  line-1  2026-11-01 08:00:00Z  site=Ulm',
      'pump-8  active  -       2026-11-01 08:00:00Z  site=Ulm',
      '',
    ])
    const one = await handfast(['device', 'list', '--json', '--limit', '1', '--data', hub.data])
    assert.equal(JSON.parse(one.stdout).next, 'pump-7')
  })

  test('`device list` passes its filters on, and goes on where a page of the hub ended early', async (context) => {
    const hub = await hubAt(context, ({ url }) =>
      url.includes('after=later')
        ? { status: 200, body: { items: [device], next: 'on' } }
        : { status: 200, body: { items: [], next: 'later' } },
    )
    const filters = ['--state', 'active', '--group', 'line-1', '--prefix', 'pump-', '--attr', 'site=Ulm Süd']
    const args = ['device', 'list', ...filters, '--limit', '1', '--json', '--data', hub.data]
    assert.deepEqual(JSON.parse((await handfast(args)).stdout), { items: [device], next: 'on' })
    const query = 'state=active&group=line-1&idPrefix=pump-&attr.site=Ulm+S%C3%BCd&limit=1'
    assert.deepEqual(
      hub.requests.map(({ url }) => url),
      [`/api/v1/devices?${query}`, `/api/v1/devices?${query}&after=later`],
    )
  })

  test('`device set` edits what it has read, and says so when somebody else was faster', async (context) => {
    let version = 1
    const hub = await hubAt(context, ({ method, body }) => {
      if (method === 'GET') return { status: 200, body: { device: { ...device, version: 1 }, credentials: [] } }
      if (version > 1) return problem(412, 'precondition-failed', 'it is at version 2', 'read it again')
      version += 1
      return { status: 200, body: { ...device, ...(body as object), version } }
    })
    const args = ['device', 'set', 'pump-7', '--no-group', '--attr', 'line=4', '--remove-attr', 'site']
    const first = await handfast([...args, '--data', hub.data])
    assert.equal(first.stdout, 'pump-7 is changed: group -, attributes line=4 site=null\n', first.stderr)
    assert.deepEqual(hub.requests.at(-1)?.body, { group: null, attributes: { line: '4', site: null } })
    assert.equal(hub.intents.at(-1)?.ifMatch, '"1"')
    const second = await handfast(['device', 'set', 'pump-7', '--group', 'x', '--data', hub.data])
    assert.equal(second.status, 5)
    assert.match(second.stderr, /^error: somebody else has just changed "pump-7"; nothing was done\n/)
    assert.match(second.stderr, /hint: see what it is now with `npx handfast device show pump-7`/)
  })

  test('`device set` grants profiles and names beside those that there are, and takes them away', async (context) => {
    const has = { ...device, version: 1, profiles: ['device', 'old'], dnsNames: ['a.example', 'b.example'] }
    const hub = await hubAt(context, ({ method, body }) =>
      method === 'GET'
        ? { status: 200, body: { device: has, credentials: [] } }
        : { status: 200, body: { ...has, ...(body as object), version: 2 } },
    )
    const grants = ['--profile', 'dual', '--profile', 'device', '--remove-profile', 'old', '--remove-dns', 'a.example']
    const { stdout, stderr } = await handfast([
      'device',
      'set',
      'pump-7',
      ...grants,
      '--ip',
      '10.3.0.11',
      '--data',
      hub.data,
    ])
    assert.match(stdout, /\nprofiles device dual, names b\.example 10\.3\.0\.11\n$/, stderr)
    const asked = { profiles: ['device', 'dual'], dnsNames: ['b.example'], ipAddresses: ['10.3.0.11'] }
    assert.deepEqual(hub.requests.at(-1)?.body, asked)
    const both = await handfast(['device', 'set', 'pump-7', '--profile', 'x', '--remove-profile', 'x'])
    assert.match(both.stderr, /^error: --profile gives "x" and --remove-profile takes it\n/)
  })

  test('`device set` wants something to set, and no attribute set and removed at once', async () => {
    const nothing = await handfast(['device', 'set', 'pump-7'])
    assert.equal(nothing.status, 2)
    assert.match(nothing.stderr, /^error: nothing to set\n.*\n {2}hint: give --group/)
    const both = await handfast(['device', 'set', 'pump-7', '--attr', 'a=1', '--remove-attr', 'a'])
    assert.match(both.stderr, /^error: --attr sets "a" and --remove-attr removes it\n/)
  })

  test('a refusal of the hub becomes the exit status of its kind', async (context) => {
    const statuses = { 'identity-exists': 5, 'identity-not-found': 4, 'key-invalid': 3, 'rate-limited': 6 }
    for (const [code, expected] of Object.entries(statuses)) {
      const hub = await hubAt(context, () => problem(400, code, `it is ${code}`, 'do this'))
      const { status, stderr } = await handfast(['device', 'show', 'pump-7', '--data', hub.data])
      assert.equal(status, expected, code)
      assert.match(stderr, new RegExp(`^error: it is ${code}\n {2}code: HF-[0-9]+ ${code}\n {2}hint: do this\n$`))
    }
  })

  test('`revoke` names a device or a serial number, with its reason', async (context) => {
    const view = { device: { ...device, state: 'disabled' }, revoked: ['0a1b'], tokensEnded: 1 }
    const hub = await hubAt(context, () => ({ status: 200, body: view }))
    const { stdout } = await handfast(['revoke', 'pump-7', '--reason', 'keyCompromise', '--data', hub.data])
    assert.equal(stdout, 'pump-7 is disabled; revoked: 0a1b; 1 enrolment token ended\n')
    await handfast(['revoke', '--serial', '0A:1B', '--data', hub.data])
    assert.deepEqual(
      hub.requests.map(({ url, body }) => [url, body]),
      [
        ['/api/v1/devices/pump-7/revoke', { reason: 'keyCompromise' }],
        ['/api/v1/credentials/0A%3A1B/revoke', {}],
      ],
    )
    assert.equal((await handfast(['revoke', 'pump-7', '--reason', 'mood', '--data', hub.data])).status, 2)
  })

  test('`revoke --serial` says when there was nothing left to revoke', async (context) => {
    const hub = await hubAt(context, () => ({ status: 200, body: { device, revoked: [], tokensEnded: 0 } }))
    const { status, stdout } = await handfast(['revoke', '--serial', '0a1b', '--data', hub.data])
    assert.deepEqual([status, stdout], [0, '0a1b of pump-7 was revoked already\n'])
  })

  const attempt = {
    number: 7,
    at: '2026-11-01T08:00:00.000Z',
    listener: 'mqtt',
    address: '192.0.2.1:40000',
    stage: 'certificate',
    outcome: 'refused',
    code: 'certificate-revoked',
    failureId: 'HF-2108',
    sentence: 'the certificate was revoked',
    cure: 'enrol it again',
    deviceId: null,
    clientId: null,
    tlsVersion: 'TLSv1.3',
    mqttVersion: '5',
    certificate: {
      subject: 'CN=\u001b[31mred',
      issuer: '',
      fingerprint: '',
      serialNumber: '',
      notBefore: '',
      notAfter: '',
    },
  }

  test('`attempts` says who, why and what to do, and lets no stranger write to the terminal', async (context) => {
    const hub = await hubAt(context, () => ({ status: 200, body: { items: [attempt], next: null } }))
    const { stdout } = await handfast(['attempts', '--failed', '--device', 'pump-7', '--data', hub.data])
    assert.equal(
      stdout,
      '2026-11-01 08:00:00Z  CN=\\u{1b}[31mred  -  192.0.2.1:40000  refused at certificate: HF-2108 certificate-revoked\n' +
        '    the certificate was revoked\n    → enrol it again\n',
    )
    assert.equal(hub.requests[0]?.url, '/api/v1/attempts?outcome=refused&device=pump-7&limit=20')
  })

  test('`attempts` fills in the device, says closed and denied for sessions and collapses what repeats', async (context) => {
    const revoked = { ...attempt, deviceId: 'pump-7', clientId: 'pump-7', certificate: null, cure: 'enable <id>' }
    const lost = { ...revoked, stage: 'session', code: 'connection-lost', failureId: 'HF-6107', cure: null }
    const denied = { ...revoked, stage: 'policy', code: 'publish-denied', failureId: 'HF-4101', cure: null }
    const again = { ...revoked, address: '192.0.2.1:40001' }
    const items = [denied, lost, again, revoked]
    const hub = await hubAt(context, () => ({ status: 200, body: { items, next: null } }))
    const { stdout } = await handfast(['attempts', '--cause', 'hf-2108', '--data', hub.data])
    const start = '2026-11-01 08:00:00Z  pump-7  pump-7  192.0.2.1'
    assert.deepEqual(stdout.split('\n'), [
      `${start}:40001  refused at certificate: HF-2108 certificate-revoked (×2)`,
      '    the certificate was revoked',
      '    → enable pump-7',
      `${start}:40000  closed: HF-6107 connection-lost`,
      '    the certificate was revoked',
      `${start}:40000  denied: HF-4101 publish-denied`,
      '    the certificate was revoked',
      '',
    ])
    assert.match(hub.requests[0]?.url ?? '', /code=certificate-revoked/)
  })

  test('`attempts --cases` says how often, since when and whether it has been let in, page after page', async (context) => {
    const one = {
      ...attempt,
      ...{ party: 'identity', name: 'pump-7', deviceId: 'pump-7', cure: 'enable <id>', count: 1_204, issuer: null },
      ...{ firstAt: '2026-10-31T08:00:00.000Z', lastAt: attempt.at, admittedAt: null },
    }
    const other = {
      ...one,
      party: 'certificate',
      name: 'ab'.repeat(32),
      deviceId: null,
      count: 2,
      admittedAt: attempt.at,
    }
    const hub = await hubAt(context, ({ url }) => ({
      status: 200,
      body: url.includes('after=there') ? { items: [other], next: null } : { items: [one], next: 'there' },
    }))
    const args = ['attempts', '--cases', '--since', '2026-10-01T00:00:00Z', '--listener', 'mqtt', '--data', hub.data]
    const { stdout } = await handfast(args)
    const refused = 'refused at certificate: HF-2108 certificate-revoked'
    assert.deepEqual(stdout.split('\n'), [
      `2026-11-01 08:00:00Z  CN=\\u{1b}[31mred (abababababababab…)  mqtt  ×2 since 2026-10-31 08:00:00Z      ${refused}`,
      '    the certificate was revoked',
      '    let in since, at 2026-11-01 08:00:00Z',
      `2026-11-01 08:00:00Z  pump-7                                mqtt  ×1,204 since 2026-10-31 08:00:00Z  ${refused}`,
      '    the certificate was revoked',
      '    → enable pump-7',
      '',
    ])
    const from = 'from=2026-10-01T00%3A00%3A00.000Z'
    assert.deepEqual(
      hub.requests.map(({ url }) => url),
      [
        `/api/v1/attempts/cases?listener=mqtt&${from}&limit=20`,
        `/api/v1/attempts/cases?listener=mqtt&${from}&limit=19&after=there`,
      ],
    )
  })

  test('`incidents` and `status` say what keeps several out, and whose it probably is', async (context) => {
    const hub = await hubAt(context, ({ url }) => ({
      status: 200,
      body: url === '/api/v1/hub' ? hubStatus : { items: [incident], next: null },
    }))
    const { stdout } = await handfast(['incidents', '--data', hub.data])
    assert.deepEqual(stdout.split('\n'), [
      'since 2026-11-23 08:31:15Z  HF-2104 certificate-foreign-authority',
      `    ${incident.sentence}`,
      `    probably the operator: ${incident.likelihood}`,
      `    → ${incident.cure.replaceAll('`handfast', '`npx handfast')}`,
      `    among them ${incident.examples[0]}`,
      '    all of them: npx handfast attempts --cases --listener plant --cause certificate-foreign-authority',
      '',
    ])
    const status = await handfast(['status', '--data', hub.data])
    assert.match(
      status.stdout,
      /^incident +14 unknown certificates .* \(since 2026-11-23 08:31:15Z: npx handfast incidents\)$/m,
    )
  })

  test('`attempts` of a device that is not registered says so', async (context) => {
    const hub = await hubAt(context, ({ url }) =>
      url.startsWith('/api/v1/attempts')
        ? { status: 200, body: { items: [], next: null } }
        : problem(404, 'identity-not-found', 'there is no device "nope"', 'see the list'),
    )
    assert.equal((await handfast(['attempts', '--device', 'nope', '--data', hub.data])).status, 4)
  })

  test('`attempts --follow` goes on after the newest it has shown, until the hub ends', async (context) => {
    let asked = 0
    const hub = await hubAt(context, ({ url }) => {
      asked += 1
      if (!url.includes('order=oldest')) return { status: 200, body: { items: [attempt], next: null } }
      if (asked > 3) return problem(503, 'store-unavailable', 'gone', 'wait')
      const number = asked + 6
      return { status: 200, body: { items: [{ ...attempt, number }], next: String(number) } }
    })
    const { stdout, status } = await handfast(['attempts', '--follow', '--json', '--data', hub.data])
    assert.equal(status, 6)
    const numbers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).number)
    assert.deepEqual(numbers, [7, 8, 9])
    assert.match(hub.requests.at(-1)?.url ?? '', /order=oldest&since=9/)
  })

  test('`audit` and `status` print what the hub answers', async (context) => {
    const entry = {
      number: 1,
      at: '2026-11-01T08:00:00.000Z',
      actor: 'key:admin',
      act: 'identity.disable',
      subject: 'pump-7',
      before: { state: 'active', token: 'not spoken of after' },
      after: { state: 'disabled', until: '2026-11-02T08:00:00.000Z', group: null },
    }
    const hubView = {
      version: '0.1.0',
      realm: 'plant',
      publicName: 'hub',
      mqtt: { host: '::1', port: 8883 },
      listeners: [
        { name: 'mqtt', host: '::1', port: 8883, path: null },
        { name: 'web', host: '::1', port: 443, path: '/mqtt' },
      ],
      https: { host: '127.0.0.1', port: 8443 },
      http: { host: '127.0.0.1', port: 8080 },
      rootFingerprint: 'ab',
      ca: '',
      sessions: 3,
      gateLink: null,
      gates: [],
      upstream: { kind: 'embedded', available: true },
    }
    const hub = await hubAt(context, ({ url }) => ({
      status: 200,
      body: url === '/api/v1/hub' ? hubView : { items: [entry], next: null },
    }))
    const audit = await handfast(['audit', '--data', hub.data])
    assert.match(
      audit.stdout,
      /2026-11-01 08:00:00Z {2}key:admin {2}identity\.disable {2}pump-7 +state: active → disabled, until: 2026-11-02 08:00:00Z\n/,
    )
    const status = await handfast(['status', '--data', hub.data])
    assert.match(status.stdout, /^MQTT +mqtts:\/\/hub:8883 +listens on \[::1\]:8883$/m)
    assert.match(status.stdout, /^web +wss:\/\/hub:443\/mqtt +listens on \[::1\]:443$/m)
    assert.deepEqual(JSON.parse((await handfast(['status', '--json', '--data', hub.data])).stdout), hubView)
  })
})
