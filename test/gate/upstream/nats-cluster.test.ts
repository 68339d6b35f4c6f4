/** A cluster of three NATS servers (JetStream, MQTT 3.1.1) as the broker behind the gate, one of which is killed under load. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import type { BrokerAddress } from '../../../src/core/upstream/broker-address.ts'
import { type RemoteUpstream, startRemoteUpstream } from '../../../src/gate/upstream/remote/remote-upstream.ts'
import type { Log } from '../../../src/hub/ports/log.ts'
import { systemRandom as random } from '../../../src/machine/system.ts'
import { UpstreamClient } from '../../contract/upstream-client.ts'
import { freePort } from '../../support/free-port.ts'
import { needs, programPath } from '../../support/programs.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {} }
const folder = mkdtempSync(join(tmpdir(), 'hf-nats-'))
const servers: ChildProcess[] = []
after(async () => {
  for (const server of servers) {
    if (server.exitCode !== null || server.signalCode !== null) continue
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
})

async function startCluster(): Promise<readonly BrokerAddress[]> {
  const ports: number[] = []
  for (let n = 0; n < 9; n++) ports.push(await freePort())
  const routes = ports.slice(6).map((port) => `nats://127.0.0.1:${port}`)
  return [0, 1, 2].map((n) => {
    const file = join(folder, `${n}.conf`)
    const lines = [
      `server_name: n${n}`,
      `listen: "127.0.0.1:${ports[n]}"`,
      `jetstream { store_dir: "${join(folder, `store-${n}`)}", max_mem: 64MB, max_file: 256MB }`,
      `mqtt { host: "127.0.0.1", port: ${ports[n + 3]} }`,
      `cluster { name: plant, listen: "127.0.0.1:${ports[n + 6]}", routes: ${JSON.stringify(routes)} }`,
    ]
    writeFileSync(file, lines.join('\n'))
    servers.push(spawn(programPath('nats-server') ?? '', ['-c', file], { stdio: 'ignore' }))
    return { transport: 'tcp', host: '127.0.0.1', port: ports[n + 3] ?? 0 } as const
  })
}

/**
 * Connects, again and again while a server that has just been lost still counts as there. Who did not arrive in time is closed:
 * if it arrived later it would take the session of its name, and its messages, from the one that did.
 */
async function arrive(
  upstream: RemoteUpstream,
  clientId: string,
  clean: boolean,
  signal: AbortSignal,
): Promise<UpstreamClient> {
  for (;;) {
    const client = new UpstreamClient(upstream, 4)
    const opened = client.connect({ clientId, clean }).then(
      ({ returnCode }) => returnCode === 0,
      () => false,
    )
    const isIn = await Promise.race([opened, elapse(2_000, false, { signal })])
    if (isIn) return client
    client.close()
    await elapse(100, undefined, { signal })
  }
}

/** Publishes with QoS 1; false when the connection ends first, or nothing comes. */
async function isAcknowledged(writer: UpstreamClient, payload: string, signal: AbortSignal): Promise<boolean> {
  const messageId = writer.nextMessageId()
  writer.send({ cmd: 'publish', topic: 'load', payload, qos: 1, dup: false, retain: false, messageId })
  for (let waited = 0; waited < 1_500; waited++) {
    if (writer.count('puback') > 0) return (await writer.next('puback')).messageId === messageId
    if (writer.ended !== null) return false
    await elapse(2, undefined, { signal })
  }
  return false
}

const options = { ...needs('nats-server'), timeout: 120_000 }

test(
  'what a NATS cluster has acknowledged arrives, although one of its servers is killed under load',
  options,
  async ({ signal }) => {
    const pause = (ms: number): Promise<void> => elapse(ms, undefined, { signal })
    const upstream = await startRemoteUpstream({
      ...{ addresses: await startCluster(), login: null, clientIds: 'prefixed', random, log },
      tls: { ca: null, own: null },
    })
    after(() => upstream.stop())
    // All of them: the loss of one that never served would be no loss.
    while (upstream.servingCount() < 3) await pause(100)
    assert.deepEqual([...upstream.abilities.protocolVersions], [4])
    assert.equal(upstream.abilities.qosMax, 1)
    assert.equal(upstream.abilities.sharedSubscriptions, false)
    assert.equal(upstream.abilities.topicCharactersRefused, ' .')

    let reader = await arrive(upstream, 'reader', false, signal)
    await reader.subscribe('load', 1)
    const seen = new Set<string>()
    let isReading = true
    const reading = (async () => {
      while (isReading) {
        if (reader.count('publish') > 0) seen.add((await reader.receive()).payload.toString())
        else if (reader.ended !== null) reader = await arrive(upstream, 'reader', false, signal)
        else await pause(5)
      }
    })()

    const acknowledged: string[] = []
    let writer = await arrive(upstream, 'writer', false, signal)
    for (let n = 0; n < 300; n++) {
      if (n === 100) servers[1]?.kill('SIGKILL')
      while (!(await isAcknowledged(writer, String(n), signal))) {
        writer.close()
        writer = await arrive(upstream, 'writer', false, signal)
      }
      acknowledged.push(String(n))
    }
    while (acknowledged.some((payload) => !seen.has(payload))) await pause(50)
    isReading = false
    await reading
    assert.equal(upstream.isAvailable(), true)
    // A server that says nothing any more is noticed by its next ping.
    while (upstream.restarts() === 0) await pause(50)
  },
)
