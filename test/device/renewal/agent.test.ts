// needs: openssl
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { type AgentOptions, look } from '../../../src/device/renewal/agent.ts'
import type { Hooks } from '../../../src/device/renewal/hooks.ts'
import { type RenewalRecord, recordFile } from '../../../src/device/renewal/record.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { EstServer, honest, OpensslAuthority } from '../est-authority.ts'
import { MemoryStore } from './memory-store.ts'
import { type Gate, startGate } from './tiny-gate.ts'

const authority = new OpensslAuthority()
const hubTls = authority.endEntity('hub', 'IP:127.0.0.1,DNS:localhost')
after(() => authority.remove())

const day = 86_400_000
const noHooks: Hooks = { onRenewed: null, onFailed: null, signal: null, reloadUnit: null }

describe('an agent that looks', () => {
  let hub: EstServer
  let gate: Gate
  let store: MemoryStore
  let folder = ''
  let nowMs = 0
  /** What the hub says to the question when to come; null where it knows of nothing of the kind. */
  let hint: { readonly start: string; readonly end: string } | null = null

  beforeEach(async (t) => {
    hint = null
    const truly = honest(authority)
    hub = await EstServer.start(hubTls, (request, response) => {
      if (request.path.startsWith('/renewal-info/')) {
        response.writeHead(hint === null ? 404 : 200, { 'Retry-After': '3600' })
        response.end(JSON.stringify({ suggestedWindow: hint }))
      } else if (request.path.startsWith('/device/')) response.end('{}')
      else truly(request, response)
    })
    gate = await startGate(hubTls)
    folder = temporaryFolder(t as Parameters<typeof temporaryFolder>[0])
    store = new MemoryStore(folder, authority, { id: 'pump-7', httpsPort: hub.port, mqttPort: gate.port })
    nowMs = store.current().certificate.validFromDate.getTime() + 1_000
  })
  afterEach(() => {
    hub.stop()
    gate.stop()
  })

  const options = (hooks: Partial<Hooks> = {}): AgentOptions => ({
    ...{ store, nowMs: () => nowMs, proof: 'connect', isKeyKept: false, keyKind: null },
    hooks: { ...noHooks, ...hooks },
  })
  const record = (): RenewalRecord => JSON.parse(readFileSync(join(folder, recordFile), 'utf8')) as RenewalRecord
  const renewals = (): number => hub.requests.filter(({ path }) => path.endsWith('/simplereenroll')).length

  test('leaves a young certificate alone, and renews it at two thirds of its life', async () => {
    const young = await look(options())
    assert.equal(young.outcome, 'not-due')
    assert.ok(young.againAtMs - nowMs <= 3_600_000, 'it looks at the clock every hour')
    nowMs += 7.8 * day
    assert.equal((await look(options())).outcome, 'renewed')
    assert.equal((await look(options())).outcome, 'not-due', 'the new one is young')
    assert.equal(renewals(), 1)
  })

  test('comes when the hub calls, and not again for the same call', async () => {
    hint = { start: new Date(nowMs - day).toISOString(), end: new Date(nowMs - day / 2).toISOString() }
    nowMs += 2 * 3_600_000
    assert.equal((await look(options())).outcome, 'renewed')
    hint = null
    assert.equal((await look(options())).outcome, 'not-due')
  })

  test('a hub that calls for ever is answered once in the least age of a certificate', async () => {
    hint = { start: new Date(nowMs - day).toISOString(), end: new Date(nowMs - day / 2).toISOString() }
    await look(options(), true)
    for (let minutes = 0; minutes < 55; minutes += 5) {
      nowMs += 300_000
      assert.equal((await look(options())).outcome, 'not-due')
    }
    assert.equal(renewals(), 1)
  })

  test('renews at once where it is told to, due or not', async () => {
    assert.equal((await look(options(), true)).outcome, 'renewed')
  })

  test('after a failure it waits, remembers why across a restart, and tries again', async () => {
    nowMs += 7.8 * day
    gate.answer('silence')
    const failed = await look(options())
    assert.equal(failed.failure?.code, 'hub-unreachable')
    assert.equal(record().failures, 1)
    assert.equal(record().lastFailure?.code, 'hub-unreachable')
    assert.equal((await look(options())).outcome, 'not-due', 'not at once')
    assert.equal(renewals(), 1)
    gate.answer('admit')
    nowMs = failed.againAtMs
    assert.equal((await look(options())).outcome, 'renewed')
    assert.equal(record().failures, 0)
    assert.equal(renewals(), 1, 'what had come was used')
  })

  test('a certificate that has ended is still tried, every hour', async () => {
    nowMs = store.current().certificate.validToDate.getTime() + 5 * day
    hub.stop()
    const failed = await look(options())
    assert.equal(failed.outcome, 'failed')
    assert.ok(failed.againAtMs - nowMs <= 3_600_000)
  })

  test('a clock at 1970 is seen for what it is, and nothing is asked of anybody', async () => {
    await look(options())
    const before = hub.requests.length
    nowMs = 42_000
    const wrong = await look(options())
    assert.equal(wrong.failure?.code, 'agent-clock-wrong')
    assert.equal(hub.requests.length, before)
    assert.ok(wrong.againAtMs - nowMs <= 60_000)
  })

  test('a clock that was days ahead for a while is no obstacle when it is right again', async () => {
    const right = nowMs
    nowMs += 20 * day
    await look(options())
    nowMs = right
    assert.notEqual((await look(options(), true)).failure?.code, 'agent-clock-wrong')
  })

  test('tries that a clock in 2038 has noted hold nobody up when it is right again', async () => {
    const right = nowMs + 7.8 * day
    nowMs = Date.UTC(2038, 0, 19)
    gate.answer('silence')
    await look(options())
    gate.answer('admit')
    nowMs = right
    assert.equal((await look(options())).outcome, 'renewed')
  })

  test('a command runs after a renewal and knows whom it is about; nothing runs where nothing was renewed', async () => {
    const told = join(folder, 'told')
    const onRenewed = `echo "$HANDFAST_ID $HANDFAST_FINGERPRINT" >> '${told}'`
    await look(options({ onRenewed }))
    assert.equal(existsSync(told), false)
    await look(options({ onRenewed }), true)
    assert.equal(readFileSync(told, 'utf8'), `pump-7 ${record().fingerprint}\n`)
  })

  test('a command that failed runs again at the next look, also after a restart, until it succeeds', async () => {
    const ready = join(folder, 'ready')
    const onRenewed = `test -e '${ready}'`
    const first = await look(options({ onRenewed }), true)
    assert.equal(first.outcome, 'renewed')
    assert.equal(first.failure?.code, 'agent-hook-failed')
    assert.equal(record().isHookOwed, true)
    assert.ok(first.againAtMs - nowMs <= 300_000)
    const second = await look(options({ onRenewed }))
    assert.equal(second.outcome, 'failed')
    assert.equal(second.failure?.code, 'agent-hook-failed')
    writeFileSync(ready, '')
    assert.equal((await look(options({ onRenewed }))).outcome, 'not-due')
    assert.equal(record().isHookOwed, false)
    assert.equal(renewals(), 1)
  })

  test('a command that a power cut kept from running after the switch runs at the next start', async () => {
    const told = join(folder, 'told')
    const onRenewed = `echo "$HANDFAST_FINGERPRINT" >> '${told}'`
    store.dies = true
    await assert.rejects(look(options({ onRenewed }), true), /the power fails/)
    store.dies = false
    assert.equal(existsSync(told), false)
    assert.equal((await look(options({ onRenewed }))).outcome, 'not-due')
    assert.equal(readFileSync(told, 'utf8'), `${record().fingerprint}\n`)
  })

  test('a look in which nothing happens writes nothing', async () => {
    hint = { start: new Date(nowMs + 5 * day).toISOString(), end: new Date(nowMs + 6 * day).toISOString() }
    await look(options())
    const { mtimeNs, ino } = statSync(join(folder, recordFile), { bigint: true })
    nowMs += 60_000
    await look(options())
    const after = statSync(join(folder, recordFile), { bigint: true })
    assert.deepEqual([after.mtimeNs, after.ino], [mtimeNs, ino])
  })

  test('another command runs when a try has failed, with the code of the failure', async () => {
    const told = join(folder, 'told')
    gate.answer('silence')
    await look(options({ onFailed: `echo "$HANDFAST_FAILURE" > '${told}'`, onRenewed: 'false' }), true)
    assert.equal(readFileSync(told, 'utf8'), 'hub-unreachable\n')
  })

  test('a process is sent a signal, and a file that names none is said to', async () => {
    const pidFile = join(folder, 'app.pid')
    const signal = { name: 'SIGHUP', pidFile } as const
    const missing = await look(options({ signal }), true)
    assert.match(missing.failure?.message ?? '', /ENOENT/)
    const got = new Promise((resolve) => process.once('SIGHUP', resolve))
    writeFileSync(pidFile, `${process.pid}\n`)
    assert.equal((await look(options({ signal }))).failure, null)
    await got
    writeFileSync(pidFile, '1\n')
    const init = await look(options({ signal }), true)
    assert.equal(init.failure?.code, 'agent-hook-failed')
  })

  test('a record that was damaged costs nothing but what it remembered', async () => {
    for (const damage of ['', '{', '[]', 'null', '{"fingerprint": 3}', '{"hint": 7, "failures": "x"}']) {
      writeFileSync(join(folder, recordFile), damage)
      assert.equal((await look(options())).outcome, 'not-due')
    }
  })
})
