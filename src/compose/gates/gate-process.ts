/**
 * A gate process of a hub. It reads the registry, judges, and serves; it writes nothing: attempts and first uses go to the
 * hub, from which it hears of events, and whose broker it reaches over a private socket. It ends with the hub.
 */
import { makeLog } from '../../cli/log.ts'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { openSharedUpstream } from '../../gate/upstream/shared/shared-upstream.ts'
import { openAuthorities } from '../../hub/authorities.ts'
import type { Entrant, Refusal } from '../../hub/gate-admission.ts'
import { limitLog } from '../../hub/limit-log.ts'
import type { Log } from '../../hub/ports/log.ts'
import { openBroughtFiles } from '../../machine/brought-files.ts'
import { systemClock as clock } from '../../machine/system.ts'
import { Closing } from '../closing.ts'
import { openRegistryReader } from '../registry.ts'
import { certificateOf, type FailureText, type GateSettings, type ToGate, type ToHub } from './messages.ts'
import { openReadingGate, type ReadingGate } from './reading-gate.ts'
import { Telling } from './telling.ts'

/** First uses that the hub is asked to write, by number. */
const asked = new Map<number, (outcome: Entrant | Refusal | FailureText) => void>()
let askedLast = 0
let running: RunningGate | null = null

interface RunningGate {
  hear(message: ToGate): void
  stop(): Promise<void>
}

function say(message: ToHub): void {
  if (process.connected) process.send?.(message)
}

process.on('message', (message: ToGate) => {
  switch (message.kind) {
    case 'start':
      void start(message.settings)
      return
    case 'confirmed':
      asked.get(message.number)?.(message.outcome)
      return
    case 'stop':
      void end()
      return
    default:
      running?.hear(message)
  }
})
// A terminal and systemd signal all processes of a hub; the hub says when its gates are to end, after their goodbyes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit(0))
say({ kind: 'hello' })

async function start(settings: GateSettings): Promise<void> {
  const log = limitLog(makeLog(settings.logLevel), clock)
  const closing = new Closing(log)
  closing.add('log', () => log.flush())
  try {
    running = await serve(settings, log, closing)
  } catch (error) {
    await closing.run()
    if (!(error instanceof HubError)) log.error('a gate process cannot start', { gate: settings.number, error })
    if (process.send === undefined) process.exit(1)
    process.send({ kind: 'failed', failure: failureText(error) } satisfies ToHub, () => process.exit(1))
  }
}

async function end(): Promise<void> {
  await running?.stop()
  process.exit(0)
}

async function serve(settings: GateSettings, log: Log, closing: Closing): Promise<RunningGate> {
  const registry = openRegistryReader(settings.registry, log)
  const { store } = registry
  closing.add('registry', () => store.close())
  const lastEvent = await store.events.last()
  const authorities = await openAuthorities(store, null)
  const upstream = await openSharedUpstream({
    way: { path: settings.upstream.path },
    abilities: settings.upstream.abilities,
  })
  closing.add('upstream', () => upstream.stop())
  const telling = new Telling(say)
  closing.add('attempts', () => telling.stop())
  const brought = settings.tls === null ? null : openBroughtFiles({ clock, log }, settings.tls, settings.deviceNames)
  closing.add('brought certificate', () => brought?.stop())
  const door = await openReadingGate(
    {
      ...{ config: settings, store, authorities, log, upstream, attempts: telling, observer: telling, confirmUse },
      ...{ lastEvent, certificate: certificateOf(settings.certificate) },
      // Elsewhere connections come from the hub, one by one: the kernel of Linux alone deals them out evenly.
      sharesPorts: process.platform === 'linux',
      certificateFor: (name) => brought?.forName(name) ?? null,
      wantCrl: (anchorId, certificate) => say({ kind: 'crl-wanted', anchorId, certificate }),
      onRevoked: (afterMs) => say({ kind: 'revoked', afterMs }),
    },
    closing,
  )
  closing.add('figures', tellFigures(door))
  say({ kind: 'serving', addresses: door.gate.addresses })
  return {
    hear(message) {
      if (message.kind === 'events') registry.tellListeners()
      else if (message.kind === 'certificate') door.gate.setCertificate(certificateOf(message.certificate))
      else if (message.kind === 'trust') door.gate.refreshTrust()
    },
    stop: () => closing.run(),
  }
}

/** @returns the way to stop, which tells once more */
function tellFigures({ gate, follower }: ReadingGate): () => void {
  const tell = (): void => say({ kind: 'figures', figures: gate.figures(), position: follower.position() })
  const timer = setInterval(tell, limits.gateFiguresMs)
  return () => {
    clearInterval(timer)
    tell()
  }
}

/** Asks the hub to write the first use of a credential. @throws HubError `store-unavailable`, or what the hub says */
async function confirmUse(entrant: Entrant): Promise<Entrant | Refusal> {
  const number = ++askedLast
  const { promise, resolve } = Promise.withResolvers<Entrant | Refusal | FailureText | null>()
  asked.set(number, resolve)
  const timer = setTimeout(() => resolve(null), limits.gateConfirmMs)
  say({ kind: 'confirm', number, entrant })
  try {
    const outcome = await promise
    if (outcome === null) throw new HubError('store-unavailable', 'the hub did not write the first use in time')
    if ('admitted' in outcome) return outcome
    throw new HubError(outcome.code, outcome.message, { hint: outcome.hint })
  } finally {
    clearTimeout(timer)
    asked.delete(number)
  }
}

function failureText(error: unknown): FailureText {
  if (error instanceof HubError) return { code: error.code, message: error.message, hint: error.hint }
  return { code: 'internal', message: 'a gate process cannot start', hint: 'see the log' }
}
