/** Fetching of CRLs and asking of responders, with web servers that behave and such that do not. */
import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { StatusRequest } from '../../src/hub/ports/status-fetcher.ts'
import { statusFetcher } from '../../src/machine/status-fetcher.ts'

async function web(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What the operator has named, unless said otherwise. */
const named = { question: null, bytesMax: 100, timeMs: 60_000, hosts: new Set(['127.0.0.1', 'localhost']) } as const
const fetchText = async (url: string, more: Partial<StatusRequest> = {}): Promise<string> =>
  Buffer.from(await statusFetcher.fetch({ ...named, url, ...more })).toString()
const failed = { code: 'status-fetch-failed' }

test('what is served is fetched, and a question is posted as OCSP wants it', async (t) => {
  const url = await web(t, async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    response.end(`${request.method} ${request.headers['content-type'] ?? '-'} ${Buffer.concat(parts).toString()}`)
  })
  assert.equal(await fetchText(`${url}/a.crl?x=1`), 'GET - ')
  assert.equal(await fetchText(url, { question: Buffer.from('who?') }), 'POST application/ocsp-request who?')
})

test('what is longer than is taken is not read to its end', async (t) => {
  const url = await web(t, (_request, response) => {
    const timer = setInterval(() => response.write('x'.repeat(60)), 1)
    response.once('close', () => clearInterval(timer))
  })
  await assert.rejects(fetchText(url), { ...failed, message: /more than 100 bytes/ })
})

test('who does not answer, or not to the end, is waited for no longer than was said', async (t) => {
  const silent = await web(t, () => {})
  await assert.rejects(fetchText(silent, { timeMs: 50 }), { ...failed, message: /in time/ })
  const half = await web(t, (_request, response) => {
    response.write('half')
  })
  await assert.rejects(fetchText(half, { timeMs: 50 }), { ...failed, message: /in time/ })
  const cut = await web(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 })
    response.write('half', () => response.destroy())
  })
  await assert.rejects(fetchText(cut), failed)
})

test('what nobody waits for any more ends', async (t) => {
  const ending = new AbortController()
  const url = await web(t, (_request, response) => {
    response.write('half', () => ending.abort())
  })
  await assert.rejects(fetchText(url, { signal: ending.signal }), failed)
})

test('an answer that is no success is told with its status', async (t) => {
  const url = await web(t, (_request, response) => void response.writeHead(503).end('later'))
  await assert.rejects(fetchText(url), { ...failed, message: /503/ })
})

test('redirects are followed a few times, by fetching and not by asking', async (t) => {
  const url = await web(t, (request, response) => {
    const left = Number((request.url ?? '').slice(1))
    if (left === 0) response.end('here')
    else response.writeHead(302, { location: `/${left - 1}` }).end()
  })
  assert.equal(await fetchText(`${url}/3`), 'here')
  await assert.rejects(fetchText(`${url}/4`), { ...failed, message: /more than 3 times/ })
  await assert.rejects(fetchText(`${url}/1`, { question: Buffer.of(1) }), failed)
  for (const location of ['file:///etc/passwd', 'http://user:secret@127.0.0.1/', 'nonsense:']) {
    const elsewhere = await web(t, (_request, response) => void response.writeHead(301, { location }).end())
    await assert.rejects(fetchText(elsewhere), failed)
  }
})

test('what only a certificate has named is not reached on private networks, by name, by number or by redirect', async (t) => {
  let isReached = false
  const inside = await web(t, (_request, response) => {
    isReached = true
    response.end('inside')
  })
  const { port } = new URL(inside)
  const nobody = { hosts: new Set<string>() }
  for (const host of ['127.0.0.1', 'localhost', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', 'LOCALHOST']) {
    await assert.rejects(fetchText(`http://${host}:${port}/`, nobody), { ...failed, message: /private network/ }, host)
  }
  const door = await web(t, (_request, response) => {
    response.writeHead(302, { location: `http://localhost:${port}/` }).end()
  })
  await assert.rejects(fetchText(door, { hosts: new Set(['127.0.0.1']) }), { ...failed, message: /private network/ })
  assert.equal(isReached, false)
  assert.equal(await fetchText(`http://localhost:${port}/`), 'inside')
})

test('nobody listening is told with the reason', async () => {
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const { port } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  await assert.rejects(fetchText(`http://127.0.0.1:${port}/`), { ...failed, message: /ECONNREFUSED/ })
})
