/** Refusals of the API, on the wire: problems for whatever goes wrong before, in and after a route. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import { type ProblemView, problemView } from '../../src/api-schema/views.ts'
import { HubError } from '../../src/core/errors.ts'
import { limits } from '../../src/core/limits.ts'
import { limitBodyTime } from '../../src/http/body-time.ts'
import { brokenRequestAnswer, rememberAnswers } from '../../src/http/broken-requests.ts'
import { httpApp, listenOn } from '../../src/http/listen.ts'
import { LogBook } from '../support/hub-parts.ts'
import { type ApiParts, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

/** Sends bytes and reads until the other end closes. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

async function listening(api: ApiParts): Promise<number> {
  return (await listenOn(api.app, 'API', '127.0.0.1', 0)).port
}

function problemIn(answer: string): ProblemView {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 4\d\d /)
  assert.match(head, /^content-type: application\/problem\+json/im)
  const problem = problemView.strict().parse(JSON.parse(body))
  assert.match(head, new RegExp(`^HTTP/1.1 ${problem.status} `))
  return problem
}

describe('the faults of a request', () => {
  test('are listed for programs, each with its place in the request', async (t) => {
    const api = await apiParts(t)
    const body = {
      id: 7,
      attributes: { site: 'a#b', 'a~b/c': 'x' },
      tokenLifetimeSec: 59.5,
      colour: 'red',
      group: 'x'.repeat(65),
    }
    const { faults, detail } = assertProblem(await ask(api, 'POST', '/devices', body), 400, 'request-invalid')
    const pointers = faults?.map((fault) => `${fault.in} ${fault.pointer}`)
    assert.deepEqual(pointers?.sort(), [
      'body /attributes/a~0b~1c',
      'body /attributes/site',
      'body /colour',
      'body /group',
      'body /id',
      'body /tokenLifetimeSec',
    ])
    assert.equal(faults?.find(({ pointer }) => pointer === '/id')?.message, 'is not text')
    assert.match(detail, /"colour" is not known/)
  })

  test('are told of queries, headers and bodies that are no JSON', async (t) => {
    const api = await apiParts(t)
    const faultsOf = async (answer: ReturnType<typeof ask>) =>
      assertProblem(await answer, 400, 'request-invalid').faults?.map((fault) => `${fault.in} ${fault.pointer}`)
    assert.deepEqual(await faultsOf(ask(api, 'GET', '/devices?limit=0&attr.1=x')), ['query /limit', 'query /attr/1'])
    assert.deepEqual(await faultsOf(ask(api, 'GET', '/devices?attr.=x')), ['query /attr/'])
    assert.deepEqual(await faultsOf(ask(api, 'GET', '/attempts?code=bad-luck')), ['query /code'])
    assert.deepEqual(await faultsOf(ask(api, 'POST', '/credentials/xyz/revoke')), ['path /serial'])
    const key = { 'idempotency-key': 'with space' }
    assert.deepEqual(await faultsOf(ask(api, 'POST', '/devices', { id: 'a' }, key)), ['header /Idempotency-Key'])
    const json = { 'content-type': 'application/json' }
    assert.deepEqual(await faultsOf(ask(api, 'POST', '/devices', '{', json)), ['body '])
    assert.deepEqual(await faultsOf(ask(api, 'POST', '/devices', '', json)), ['body '])
  })

  test('carry the hint of the rule that was broken, when it is the only one', async (t) => {
    const api = await apiParts(t)
    const { hint } = assertProblem(
      await ask(api, 'POST', '/devices', { id: 'a', group: 'a/b' }),
      400,
      'request-invalid',
    )
    assert.match(hint, /without \+ # \//)
  })
})

describe('a request that is no request of the API', () => {
  test('is answered with the methods that the address has', async (t) => {
    const { app, key } = await apiParts(t)
    const headers = { authorization: `Bearer ${key}` }
    const inject = (method: 'DELETE' | 'PUT' | 'PATCH' | 'OPTIONS', url: string) => app.inject({ method, url, headers })
    const answer = await inject('DELETE', '/api/v1/devices/pump-7')
    assertProblem(answer, 405, 'method-not-allowed')
    assert.equal(answer.headers.allow, 'GET, HEAD, PATCH')
    assert.equal((await inject('PUT', '/api/v1/devices?x=1')).headers.allow, 'GET, HEAD, POST')
    assertProblem(await inject('OPTIONS', '/api/v1/devices'), 405, 'method-not-allowed')
    assertProblem(await inject('PATCH', '/api/v1/nothing'), 404, 'not-found')
  })

  test('is told apart by what is wrong on the wire: not HTTP, a header too large', async (t) => {
    const port = await listening(await apiParts(t))
    const garbage = problemIn(await exchange(port, 'hello\r\n\r\n'))
    assert.equal(garbage.code, 'request-invalid')
    const tls = problemIn(await exchange(port, '\u0016\u0003\u0001\u0002'))
    assert.match(tls.hint, /https:\/\//)
    const long = `GET /api/v1/hub HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(limits.httpHeaderBytesMax)}\r\n\r\n`
    assert.equal(problemIn(await exchange(port, long)).code, 'headers-too-large')
  })

  test('that comes too slowly hears so, unless its answer is on its way already', () => {
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    const written: string[] = []
    const socket = () =>
      new Duplex({
        read() {},
        write(chunk, _encoding, done) {
          written.push(String(chunk))
          done()
        },
      }).on('error', () => {}) as unknown as Socket
    const waiting = socket()
    brokenRequestAnswer('operator')(late, waiting)
    assert.equal(problemIn(written.join('')).code, 'request-late')
    assert.equal(waiting.destroyed, true)
    const server = createServer()
    rememberAnswers(server)
    const answered = socket()
    server.emit('request', { socket: answered }, { headersSent: true, writableFinished: false })
    brokenRequestAnswer('operator')(late, answered)
    assert.equal(written.length, 1, 'nothing is written into the middle of an answer')
    assert.equal(answered.destroyed, true)
  })

  test('whose body does not end is answered in time, and its connection ends', async (t) => {
    const app = httpApp({ reader: 'operator', log: new LogBook(), bodyBytesMax: 1_000 })
    t.after(() => app.close())
    limitBodyTime(app, 'operator', 20)
    app.addHook('preParsing', async (request) => {
      if (request.url === '/refused') throw new HubError('imports-too-many', 'not now')
    })
    for (const path of ['/taken', '/refused']) app.post(path, () => 'done')
    const { port } = await listenOn(app, 'API', '127.0.0.1', 0)
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`
    assert.equal(problemIn(await exchange(port, `${head('/taken')}{`)).code, 'request-late')
    assert.equal(problemIn(await exchange(port, `${head('/refused')}{`)).code, 'imports-too-many')
    const whole = await exchange(port, `${head('/taken')}{"a":"b"}GET / HTTP/1.0\r\n\r\n`)
    assert.match(whole, /^HTTP\/1\.1 200 /, 'a body that has ended is not waited for')
  })

  test('with a body that is too large is refused before it is read, by its length', async (t) => {
    const api = await apiParts(t)
    const port = await listening(api)
    const head = `POST /api/v1/devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.key}\r\nContent-Type: application/json\r\n`
    const answer = await exchange(port, `${head}Content-Length: ${limits.apiBodyBytesMax + 1}\r\n\r\n`)
    const { code, detail } = problemIn(answer)
    assert.equal(code, 'request-too-large')
    assert.match(detail, /65,536 bytes/)
  })
})

test('a key has a bounded number of requests open, and its later ones wait for no one', async (t) => {
  const api = await apiParts(t)
  const many = Array.from({ length: limits.requestsPerKeyMax + 1 }, () =>
    api.app.inject({ url: '/api/v1/devices', headers: { authorization: `Bearer ${api.key}` } }),
  )
  const statuses = (await Promise.all(many)).map(({ statusCode }) => statusCode)
  assert.ok(statuses.includes(429), 'one is refused')
  for (let request = 0; request <= limits.requestsPerKeyMax; request += 1) {
    assert.equal((await ask(api, 'GET', '/hub')).statusCode, 200)
  }
})

describe('whoever hangs up', () => {
  /** Sends requests on one connection, each before the last is answered, and hangs up while `held` is asked for. */
  async function hangUp(api: ApiParts, requests: string, held: { find(...args: never[]): unknown }): Promise<void> {
    const { port } = await listenOn(api.app, 'test', '127.0.0.1', 0)
    const [asked, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    api.app.server.on('connection', (socket) => socket.once('close', gone.resolve))
    const { find } = held
    Object.assign(held, {
      async find(...args: never[]) {
        asked.resolve()
        await gone.promise
        return find.apply(held, args)
      },
    })
    const socket = connect(port, '127.0.0.1', () => socket.write(requests))
    await asked.promise
    socket.destroy()
    await gone.promise
    Object.assign(held, { find })
  }

  const head = (api: ApiParts, line: string) => `${line} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${api.key}\r\n`

  for (const [when, heldOf] of [
    ['the key is looked up', ({ hub }: ApiParts) => hub.store.apiKeys],
    ['the answer is made', ({ hub }: ApiParts) => hub.store.identities],
  ] as const) {
    test(`while ${when} does not count among the open requests of the key any more`, async (t) => {
      const api = await apiParts(t)
      const request = `${head(api, 'GET /api/v1/devices/pump-7')}\r\n`
      await hangUp(api, request.repeat(limits.requestsPerKeyMax), heldOf(api))
      assert.equal((await ask(api, 'GET', '/hub')).statusCode, 200)
    })
  }

  test('before its import begins leaves room for the next one', async (t) => {
    const api = await apiParts(t)
    const request = `${head(api, 'POST /api/v1/devices/import')}Content-Type: text/csv\r\nContent-Length: 9\r\n\r\nid\npump-7`
    await hangUp(api, request.repeat(limits.importsAtOnceMax), api.hub.store.apiKeys)
    const answer = await ask(api, 'POST', '/devices/import', 'id\npump-8\n', { 'content-type': 'text/csv' })
    assert.equal(answer.statusCode, 200, answer.body)
  })
})
