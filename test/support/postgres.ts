/** A real PostgreSQL server on a free port of the loopback address, made for the tests of one file and gone after them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { run } from './run.ts'

/** Debian keeps the server's programs where no PATH looks. */
const [programs = null] = globSync('/usr/lib/postgresql/*/bin').sort().reverse()

/** Test options that leave a test out, with the reason, where there is no PostgreSQL. */
export const needsPostgres: { skip: string | false } = {
  skip: programs === null ? 'PostgreSQL is not installed' : false,
}

export interface PostgresServer {
  /** Makes an empty database and answers with its URL. */
  makeDatabase(): Promise<string>
  /** Runs statements as the superuser. */
  admin(text: string, database?: string): Promise<readonly Record<string, unknown>[]>
  /** Has psql run a script as the superuser, as an operator does. Returns what it has said; fails when psql does. */
  script(text: string, database: string): Promise<string>
  /** `kill -9`, as a machine that loses power: nothing is flushed, no backend says goodbye. */
  kill(): Promise<void>
  /** Lets the server stand still, or go on: connections stay open and nothing is answered. */
  freeze(): void
  thaw(): void
  start(): Promise<void>
  readonly port: number
  /** Process id of the server; its backends are its children. */
  readonly pid: number
}

interface Context {
  after(step: () => Promise<void>): void
}

/** @param settings as on the command line of the server, such as `max_connections=20` */
export async function startPostgres(context: Context, settings: readonly string[] = []): Promise<PostgresServer> {
  if (programs === null) throw new Error('PostgreSQL is not installed')
  const bin = programs
  const folder = mkdtempSync(join(tmpdir(), 'hf-pg-'))
  const data = join(folder, 'data')
  const password = randomBytes(12).toString('hex')
  const owner = serverUser()
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(join(folder, 'password'), password, { mode: 0o600 })
  for (const path of [folder, data, join(folder, 'password')]) if (owner !== null) chownSync(path, owner.uid, owner.gid)
  chmodSync(folder, 0o700)
  const made = spawnSync(
    join(bin, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      '--pwfile',
      join(folder, 'password'),
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...owner, cwd: folder, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const port = await freePort()
  let child: ChildProcess | null = null

  const ended = async (): Promise<void> => {
    if (child !== null && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    child = null
  }

  async function start(tries = 50): Promise<void> {
    const options = [`listen_addresses=127.0.0.1`, `unix_socket_directories=${folder}`, ...settings]
    const log = join(folder, 'log')
    const server = join(bin, 'postgres')
    const args = ['-D', data, '-p', String(port), ...options.flatMap((each) => ['-c', each])]
    const ids = owner === null ? [] : [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups']
    // The server ends with this process, also when that is killed.
    const command = [...ids, '--pdeathsig=QUIT', server, ...args]
    child = spawn('setpriv', command, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4_000)
      writeFileSync(log, said)
    })
    for (let waited = 0; ; waited += 20) {
      // A backend of a server that was killed may hold its memory for a moment more.
      if (child.exitCode !== null && tries > 0 && said.includes('pre-existing shared memory block')) {
        await delay(200)
        return start(tries - 1)
      }
      if (child.exitCode !== null || waited > 30_000) throw new Error(`PostgreSQL did not start:\n${said}`)
      if (await answers()) return
      await delay(20)
    }
  }

  async function connected(database: string): Promise<InstanceType<typeof pg.Client>> {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  async function answers(): Promise<boolean> {
    try {
      await (await connected('postgres')).end()
      return true
    } catch {
      return false
    }
  }

  async function admin(text: string, database = 'postgres'): Promise<readonly Record<string, unknown>[]> {
    const client = await connected(database)
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end()
    }
  }

  /** The server and its backends: the postmaster's process group is not its own, so its children are asked for. */
  function signalAll(signal: NodeJS.Signals): void {
    const pid = child?.pid
    if (pid === undefined) return
    for (const each of [pid, ...childrenOf(pid)]) {
      try {
        process.kill(each, signal)
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  await start()
  context.after(async () => {
    signalAll('SIGCONT')
    child?.kill('SIGQUIT')
    await ended()
    rmSync(folder, { recursive: true, force: true })
  })

  return {
    port,
    get pid() {
      if (child?.pid === undefined) throw new Error('PostgreSQL has no process')
      return child.pid
    },
    admin,
    async script(text, database) {
      const input = join(folder, 'script.sql')
      writeFileSync(input, text)
      const { status, stdout, stderr } = await run(
        join(bin, 'psql'),
        ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-X', '-f', input, database],
        { env: { PGPASSWORD: password } },
      )
      if (status !== 0) throw new Error(`psql ended with ${status}:\n${stdout}${stderr}`)
      return stdout + stderr
    },
    start,
    async makeDatabase() {
      const name = `hub_${randomBytes(4).toString('hex')}`
      await admin(`create role ${name} login password '${password}'`)
      await admin(`create database ${name} owner ${name}`)
      return `postgresql://${name}:${password}@127.0.0.1:${port}/${name}`
    },
    async kill() {
      signalAll('SIGKILL')
      await ended()
      // The shared memory of a killed server keeps a new one out until its last process is gone.
      rmSync(join(data, 'postmaster.pid'), { force: true })
    },
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
  }
}

/** PostgreSQL refuses to run as root. */
function serverUser(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const line = /^(?:postgres|nobody):[^:]*:(\d+):(\d+):/m.exec(
    readFileSync('/etc/passwd', 'utf8').split('\n').sort().reverse().join('\n'),
  )
  return line === null ? null : { uid: Number(line[1]), gid: Number(line[2]) }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
