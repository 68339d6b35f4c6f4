/** Edits of devices: made to the version that was read, or refused. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEntryView, DeviceDetailView, DeviceView, PageView } from '../../src/api-schema/views.ts'
import { Secret } from '../../src/core/secret.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { deviceRequest } from '../support/hub-parts.ts'
import { type ApiParts, answered, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

async function withPump(t: { after(step: () => unknown): void }): Promise<ApiParts> {
  const api = await apiParts(t)
  const body = { id: 'pump-7', group: 'line-2', attributes: { site: 'hall-2', asset: '4711' } }
  await answered(ask(api, 'POST', '/devices', body), 201)
  return api
}

const edit = (api: ApiParts, patch: object, ifMatch?: string) =>
  ask(api, 'PATCH', '/devices/pump-7', patch, ifMatch === undefined ? {} : { 'if-match': ifMatch })

describe('an edit', () => {
  test('changes what it names and leaves the rest, as a merge patch does', async (t) => {
    const api = await withPump(t)
    const first = await edit(api, { attributes: { site: 'hall-3', line: '4', none: null } }, '"1"')
    assert.equal(first.headers.etag, '"2"')
    const device = JSON.parse(first.body) as DeviceView
    assert.deepEqual(device.attributes, { site: 'hall-3', asset: '4711', line: '4' })
    assert.deepEqual([device.group, device.version], ['line-2', 2])
    const second = await answered<DeviceView>(edit(api, { group: null, attributes: { asset: null } }, '"2"'))
    assert.deepEqual([second.group, second.attributes], [null, { site: 'hall-3', line: '4' }])
    assert.deepEqual((await answered<DeviceView>(edit(api, { attributes: null }, '"3"'))).attributes, {})
  })

  test('says where the key lives, and that nobody knows any more', async (t) => {
    const api = await withPump(t)
    assert.equal((await answered<DeviceView>(edit(api, { keyStorage: 'tpm' }, '"1"'))).keyStorage, 'tpm')
    assert.equal((await answered<DeviceView>(edit(api, { group: 'line-3' }, '"2"'))).keyStorage, 'tpm')
    assert.equal((await answered<DeviceView>(edit(api, { keyStorage: null }, '"3"'))).keyStorage, null)
    assertProblem(await edit(api, { keyStorage: 'drawer' }, '"4"'), 400, 'request-invalid')
  })

  test('is an event and an act in the audit log, with what was and what is', async (t) => {
    const api = await withPump(t)
    const last = await api.hub.store.events.last()
    await answered(edit(api, { group: 'line-3' }, '"1"'))
    const [event] = await api.hub.store.events.after(last, 10)
    assert.deepEqual(event, { ...event, type: 'identity-changed', identityId: 'pump-7' })
    const { items } = await answered<PageView<AuditEntryView>>(ask(api, 'GET', '/audit?limit=1'))
    assert.deepEqual(items[0], {
      ...items[0],
      actor: 'key:test',
      act: 'identity.change',
      subject: 'pump-7',
      before: { group: 'line-2', attributes: { site: 'hall-2', asset: '4711' } },
      after: { group: 'line-3', attributes: { site: 'hall-2', asset: '4711' } },
    })
  })

  test('that changes nothing leaves the version, the events and the audit log alone', async (t) => {
    const api = await withPump(t)
    const last = await api.hub.store.events.last()
    const answer = await edit(api, { group: 'line-2', attributes: { asset: '4711', other: null } }, '"1"')
    assert.equal(answer.headers.etag, '"1"')
    assert.equal(await api.hub.store.events.last(), last)
  })

  test('must say which version it was made from, and that version must be the present one', async (t) => {
    const api = await withPump(t)
    assertProblem(await edit(api, { group: 'x' }), 428, 'precondition-required')
    for (const tag of ['"2"', 'W/"1"', '"one"', '""', '"01"', '"3", "4"']) {
      assertProblem(await edit(api, { group: 'x' }, tag), 412, 'precondition-failed')
    }
    for (const tag of ['1', '"1', '"1" "2"', '', 'x"1"']) {
      assertProblem(await edit(api, { group: 'x' }, tag), 400, 'request-invalid')
    }
    assert.equal((await edit(api, { group: 'x' }, '"7", "1"')).statusCode, 200)
    assert.equal((await edit(api, { group: 'y' }, '*')).statusCode, 200)
  })

  test('of two at once one is done, and the other hears that somebody was faster', async (t) => {
    const api = await withPump(t)
    const both = await Promise.all(['a', 'b'].map((group) => edit(api, { group }, '"1"')))
    assert.deepEqual(both.map(({ statusCode }) => statusCode).sort(), [200, 412])
  })

  test('is refused for what no device can have, and of a device that is retired or is none', async (t) => {
    const api = await withPump(t)
    for (const patch of [
      { group: 7 },
      { group: '' },
      { id: 'x' },
      { attributes: { 'a b': 'x' } },
      { attributes: 'x' },
      [],
    ]) {
      assertProblem(await edit(api, patch, '"1"'), 400, 'request-invalid')
    }
    const many = Object.fromEntries(Array.from({ length: 31 }, (_, n) => [`n${n}`, 'x']))
    assertProblem(await edit(api, { attributes: many }, '"1"'), 400, 'request-invalid')
    assertProblem(await ask(api, 'PATCH', '/devices/none', {}, { 'if-match': '*' }), 404, 'identity-not-found')
    await answered(ask(api, 'POST', '/devices/pump-7/retire'))
    assertProblem(await edit(api, { group: 'x' }, '*'), 403, 'identity-retired')
  })

  test('may come as a merge patch or as JSON', async (t) => {
    const api = await withPump(t)
    for (const type of ['application/merge-patch+json', 'application/json; charset=utf-8']) {
      const headers = { 'content-type': type, 'if-match': '*' }
      assert.equal((await ask(api, 'PATCH', '/devices/pump-7', '{"group":"x"}', headers)).statusCode, 200)
    }
  })
})

describe('the ETag of a device', () => {
  test('goes from what was read into an edit as it is, and names each change', async (t) => {
    const api = await withPump(t)
    const shown = await ask(api, 'GET', '/devices/pump-7')
    const edited = await edit(api, { group: 'x' }, String(shown.headers.etag))
    assert.equal(edited.statusCode, 200, edited.body)
    const disabled = await ask(api, 'POST', '/devices/pump-7/disable')
    assert.equal(disabled.headers.etag, '"3"')
    assert.equal((await edit(api, { group: 'y' }, String(disabled.headers.etag))).statusCode, 200)
  })

  test('spares the answer while nothing has changed, its certificates included', async (t) => {
    const api = await withPump(t)
    const show = (tag: string) => ask(api, 'GET', '/devices/pump-7', undefined, { 'if-none-match': tag })
    const { headers } = await ask(api, 'GET', '/devices/pump-7')
    const tag = String(headers.etag)
    assert.equal((await show(tag)).statusCode, 304)
    assert.equal((await show(`"x", W/${tag}`)).statusCode, 304)
    assert.equal((await show('"1"')).statusCode, 200, 'the version alone does not tell of certificates')
    const { enrolment } = await answered<{ enrolment: { token: string } }>(
      ask(api, 'POST', '/devices/pump-7/tokens'),
      201,
    )
    const { certificateRequest } = deviceRequest('pump-7')
    await enrol(api.hub, { tokenText: new Secret(enrolment.token), claimedId: '', certificateRequest })
    const shown = await show(tag)
    assert.equal(shown.statusCode, 200)
    assert.equal((JSON.parse(shown.body) as DeviceDetailView).credentials.length, 1)
    assert.notEqual(shown.headers.etag, tag)
    assert.match(String(shown.headers.etag), /^"1\./)
  })
})
