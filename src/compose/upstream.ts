/** The broker behind the gate, as the operator chose it. */
import { join } from 'node:path'
import { HubError } from '../core/errors.ts'
import { type BrokerAddress, brokerAddressText } from '../core/upstream/broker-address.ts'
import type { BrokerSettings } from '../core/upstream/broker-settings.ts'
import { startEmbeddedUpstream } from '../gate/upstream/embedded/embedded-upstream.ts'
import { findMosquitto } from '../gate/upstream/managed/find-mosquitto.ts'
import { startManagedMosquitto } from '../gate/upstream/managed/managed-mosquitto.ts'
import { startRemoteUpstream } from '../gate/upstream/remote/remote-upstream.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Upstream } from '../hub/ports/upstream.ts'
import { systemRandom as random } from '../machine/system.ts'
import { readBrokerFiles } from './broker-files.ts'

export interface ChosenUpstream {
  readonly upstream: Upstream & { restarts(): number }
  readonly kind: 'embedded' | 'mosquitto' | 'remote'
  /** What it is and what of its sessions survives a restart, in words. */
  readonly note: string
}

/**
 * @param dataDirectory where a broker that the hub runs keeps its own
 * @throws HubError `broker-program-unusable`, `broker-settings-unusable`, `upstream-unavailable`
 */
export async function startUpstream(
  settings: BrokerSettings,
  dataDirectory: string,
  log: Log,
): Promise<ChosenUpstream> {
  const { choice } = settings
  if (choice === 'embedded') return embedded(log, 'as asked')
  if (choice === 'automatic' || choice === 'mosquitto') return ownBroker(choice, dataDirectory, log)
  const upstream = await startRemoteUpstream({
    addresses: choice,
    clientIds: settings.clientIds,
    ...readBrokerFiles(settings),
    ...{ random, log },
  })
  return { upstream, kind: 'remote', note: remoteNote(choice, upstream.servingCount()) }
}

/** @param serving of the servers, how many can be reached */
function remoteNote(addresses: readonly BrokerAddress[], serving: number): string {
  const kept = `${addresses.map(brokerAddressText).join(', ')}; sessions and messages are kept there`
  if (serving === addresses.length) return kept
  if (serving > 0) return `${kept}; of ${addresses.length} servers ${serving} can be reached now`
  return `${kept}. It cannot be reached now: devices are told "server unavailable" until it can`
}

/**
 * Looks, before anything is made, at what a start would fail for.
 *
 * @throws HubError `broker-program-unusable`, `broker-settings-unusable`
 */
export function assertBrokerUsable(settings: BrokerSettings): void {
  const { choice } = settings
  if (choice === 'mosquitto') {
    const program = findMosquitto(process.env.PATH ?? '')
    if (typeof program === 'string') throw new HubError('broker-program-unusable', program)
  }
  if (typeof choice !== 'string') readBrokerFiles(settings)
}

async function ownBroker(choice: 'automatic' | 'mosquitto', dataDirectory: string, log: Log): Promise<ChosenUpstream> {
  const program = findMosquitto(process.env.PATH ?? '')
  if (typeof program === 'string') {
    if (choice === 'mosquitto') throw new HubError('broker-program-unusable', program)
    return embedded(log, program)
  }
  const folder = join(dataDirectory, 'broker')
  try {
    const upstream = await startManagedMosquitto({ program, folder, random, log })
    const note = `Mosquitto ${program.version}, run by the hub; sessions and messages are kept in ${folder}`
    return { upstream, kind: 'mosquitto', note }
  } catch (error) {
    // Nobody has asked for it: a hub that served before Mosquitto was installed still does.
    if (choice === 'mosquitto' || !(error instanceof HubError)) throw error
    log.warn('Mosquitto is installed but cannot be used; the embedded broker serves', { why: error.message })
    return embedded(log, error.message)
  }
}

async function embedded(log: Log, why: string): Promise<ChosenUpstream> {
  const note = `the embedded one, for a trial (${why}): its sessions and messages end with the hub`
  return { upstream: await startEmbeddedUpstream({ log }), kind: 'embedded', note }
}
