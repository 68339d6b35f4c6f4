/** `handfast agent doctor`: why this device does not get in, from its store, its clock, its hub and what the hub says of it. */
import { randomBytes } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import type { Command } from 'commander'
import { HubError } from '../../../core/errors.ts'
import { exitStatus } from '../../../core/failure/wire-forms.ts'
import { limits } from '../../../core/limits.ts'
import { Secret } from '../../../core/secret.ts'
import type { OwnAttempts } from '../../../device/own-attempts.ts'
import type { CredentialStore } from '../../../device/store/credential.ts'
import { judgeDevice, namingDevice, type SeenDevice, type SeenFailure } from '../../../doctor/agent/judge-device.ts'
import { type Examination, hasFault } from '../../../doctor/finding.ts'
import { printExaminations } from '../../doctor/print-examinations.ts'
import { printJson } from '../../output.ts'
import { addFolder, openHeld } from './options.ts'

export function defineDoctor(command: Command): void {
  addFolder(command)
    .option('--json', 'print JSON')
    .action(async ({ dir, json = false }: { readonly dir: string; readonly json?: boolean }) => {
      const store = openHeld(dir)
      // First: it says so where nothing is held, also in a folder in which there is no file to look at.
      const seen = await look(dir, store)
      const files = await ofFiles(dir, store.deviceIdentity('current')?.key instanceof Secret)
      const examinations = namingDevice([...files, ...judgeDevice(seen), ...(await ofGate(store))], seen.id)
      if (json) printJson(examinations)
      else printExaminations(examinations)
      process.exitCode = hasFault(examinations) ? exitStatus.failed : exitStatus.ok
    })
}

/** The same that is found in a folder of any device. @param hasKey false where the key is elsewhere, and not missed in the folder */
async function ofFiles(dir: string, hasKey: boolean): Promise<readonly Examination[]> {
  const { examineFiles } = await import('../../../doctor/files/examine-files.ts')
  const { questions } = await import('../../doctor/files.ts')
  return questions([dir], { for: 'modern' }).flatMap((each) => examineFiles({ ...each, isFolder: hasKey }))
}

async function look(dir: string, store: CredentialStore): Promise<SeenDevice> {
  const { agentStatus } = await import('../../../device/renewal/status.ts')
  const nowMs = Date.now()
  const status = agentStatus(store, nowMs)
  const asked = await askHub(store)
  return {
    ...{ dir, nowMs, id: status.id, hub: status.hub, isClockWrong: status.isClockWrong },
    ...{ lastGoodTimeMs: store.lastGoodTimeMs(), renewal: status },
    ...asked,
  }
}

type Asked = Pick<SeenDevice, 'hubFailure' | 'hubTime' | 'story'>

/** Asks the hub over EST; other EST servers know nothing of attempts and are not asked. */
async function askHub(store: CredentialStore): Promise<Asked> {
  const nothing: Asked = { hubFailure: null, hubTime: null, story: null }
  const hub = store.current()?.hub ?? null
  const identity = store.deviceIdentity('current')
  if (hub === null || hub.estPath !== undefined || identity === null) return nothing
  const { readOwnAttempts } = await import('../../../device/own-attempts.ts')
  const beganMs = Date.now()
  try {
    const roots = store.roots().map(String).join('')
    const { story, dateMs } = await readOwnAttempts({ host: hub.host, port: hub.httpsPort }, roots, identity)
    const tookMs = Date.now() - beganMs
    return {
      hubFailure: null,
      hubTime: dateMs === null ? null : { ms: dateMs, tookMs },
      story: story as OwnAttempts | null,
    }
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    return { ...nothing, hubFailure: toldFailure(error) }
  }
}

function toldFailure({ code, message, hint }: HubError): SeenFailure {
  return { code, message, hint }
}

/** What the device meets at the gate, with its own certificate and a client id that cuts nobody off. */
async function ofGate(store: CredentialStore): Promise<readonly Examination[]> {
  const hub = store.current()?.hub ?? null
  const identity = store.deviceIdentity('current')
  if (hub === null || hub.estPath !== undefined || identity === null || !(identity.key instanceof Secret)) return []
  const { probe } = await import('../../../doctor/probe/probe.ts')
  const host = hub.host.includes(':') ? `[${hub.host}]` : hub.host
  const roots = store.roots().map(String)
  const examination = await probe(`mqtts://${host}:${hub.mqttPort}`, {
    authorities: roots.length > 0 ? roots : null,
    systemAuthorities: roots.length > 0 ? [] : getCACertificates('default'),
    pair: { key: identity.key, chain: identity.chain },
    ...{ username: null, password: null, topic: null, clientId: null, alpn: [], serverName: null },
    stepMs: limits.probeStepMs,
    nowSec: Math.floor(Date.now() / 1000),
    nonce: randomBytes(6).toString('hex'),
  })
  return [examination]
}
