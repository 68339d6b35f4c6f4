/**
 * Some lives of a certificate in a time that runs faster: `faketime` in front of it gives the speed, to this process and to all that
 * it starts. A hub, an agent that renews, and applications that publish all the while and know nothing of it.
 *
 *     faketime -f '+0 x5' node test/flow/accelerated/lives.ts <lives> <folder>
 *
 * Prints what became of it as one line of JSON: the lives, and what each application says of its messages.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BootstrapView, DeviceDetailView } from '../../../src/api-schema/views.ts'
import { startAgentProxy } from '../../support/agent-proxy.ts'
import { repository, startHubProcess } from '../../support/hub-process.ts'

const lifeSec = 120
/** Between two looks at the certificates: each is a process, which costs more here than all that is watched. */
const lookSec = 10
/** A busy machine is no slower for it that time runs faster. */
const patient = { timeoutMs: 300_000 }
/** Debian's python3-paho-mqtt; without it the application in Python is left out. */
const hasPaho = existsSync('/usr/lib/python3/dist-packages/paho')
const launcher = join(repository, 'bin/handfast.js')
const [lives = 3, folder = ''] = [Number(process.argv[2]), process.argv[3]]

const steps: (() => unknown)[] = []
const context = { after: (step: () => Promise<void>) => void steps.push(step) }

function start(
  name: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: repository,
  })
  child.once('exit', (status) => process.stderr.write(`${name} has ended with ${status}\n`))
  steps.push(() => child.kill('SIGKILL'))
  return child
}

/** An application, and what it says at its end. */
interface Application {
  readonly process: ChildProcess
  said(): unknown
}

/** In Node, with the attachment. */
function attached(store: string, port: number): Application {
  const attach = join(repository, 'src/device/attach/preload.ts')
  const telemetry = join(repository, 'test/flow/accelerated/telemetry.js')
  const args = ['--import', attach, telemetry, `mqtts://localhost:${port}`, 'pump-7']
  return application(start('application', process.execPath, args, { HANDFAST_DEVICE_DIR: store }))
}

/** In Python, through the local proxy. */
async function proxied(store: string): Promise<Application> {
  const { port } = await startAgentProxy(context, store)
  const telemetry = join(repository, 'test/flow/accelerated/telemetry.py')
  return application(start('application in Python', '/usr/bin/python3', [telemetry, `${port}`, 'pump-7']))
}

function application(child: ChildProcess): Application {
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8')
  })
  return { process: child, said: () => (said === '' ? {} : JSON.parse(said)) }
}

async function main(): Promise<void> {
  const hub = await startHubProcess(context, { data: join(folder, 'data'), startMsMax: 300_000 })
  const short = {
    ...{ name: 'short', kinds: ['device'], extendedKeyUsage: ['clientAuth'], backdateSec: 0 },
    ...{ lifetimeSec: lifeSec, lifetimeMaxSec: lifeSec },
  }
  await hub.json(['profile', 'add', '-'], { input: JSON.stringify(short), ...patient })
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', 'pump-7', '--profile', 'short'], patient)
  const store = join(folder, 'pump-7')
  await hub.json(['enrol', bootstrap, '--dir', store], patient)
  const agent = start('agent', process.execPath, [launcher, 'agent', 'run', '--dir', store])
  const applications: Record<string, Application> = { attached: attached(store, hub.mqtt.port) }
  if (hasPaho) applications.proxied = await proxied(store)
  let used: readonly string[] = []
  for (let waitedSec = 0; used.length <= lives && waitedSec < (lives + 2) * lifeSec; waitedSec += lookSec) {
    await delay(lookSec * 1000)
    const { credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'pump-7'], patient)
    used = credentials.filter(({ state }) => state !== 'pending').map(({ serialNumber }) => serialNumber)
  }
  // A life more than the renewals: what was renewed last is in use.
  const all = Object.values(applications).map((each) => each.process)
  for (const each of all) each.stdin?.write('end\n')
  await Promise.race([Promise.all(all.map((each) => once(each, 'exit'))), delay(lifeSec * 1000)])
  const said = Object.fromEntries(Object.entries(applications).map(([name, each]) => [name, each.said()]))
  process.stdout.write(`${JSON.stringify({ lives: used.length - 1, ...said })}\n`)
  agent.kill('SIGTERM')
}

try {
  await main()
} finally {
  for (const step of steps.reverse()) await step()
}
process.exit()
