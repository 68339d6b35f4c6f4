/** npm as a user runs it: without what an `npm test` above leaves in the environment. */
import assert from 'node:assert/strict'
import { copyFileSync, cpSync, readFileSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { repository } from '../support/hub-process.ts'
import { type Finished, type RunOptions, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Context = Parameters<typeof temporaryFolder>[0]

export const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }

/** The PATH of a user: without the folder in which npm has put our own Node. */
export const userPath: string = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.endsWith(join('node_modules', '.bin')))
  .join(delimiter)

/** What would lead an npm below astray. */
export const npmVariables: readonly string[] = Object.keys(process.env).filter((name) =>
  /^(?:npm_(?!config_)|npm_config_local_prefix$|INIT_CWD$)/.test(name),
)

/** Arguments of `env` that run a command as from a shell of a user. */
export function asUser(command: string, args: readonly string[]): string[] {
  return [...npmVariables.flatMap((name) => ['-u', name]), `PATH=${userPath}`, command, ...args]
}

export function runAsUser(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run('env', asUser(command, args), options)
}

/** True where npm's registry answers. */
export async function isRegistryReachable(folder: string): Promise<boolean> {
  const ask = ['view', 'fastify', 'version', '--prefer-online', '--fetch-retries=0', '--fetch-timeout=10000']
  return (await runAsUser('npm', ask, { cwd: folder })).status === 0
}

/** What `npm pack` makes of this repository. */
export interface Packed {
  readonly path: string
  /** The paths in it. */
  readonly files: ReadonlySet<string>
}

/** The file that scripts/test.js has packed for all test files, or one of our own, copied into a folder. */
export async function packed(t: Context, folder: string): Promise<Packed> {
  const path = join(folder, `handfast-${version}.tgz`)
  const made = process.env.HANDFAST_TEST_PACKAGE
  if (made === undefined) await pack(copyOfRepository(t), folder)
  else copyFileSync(made, path)
  const { status, stdout, stderr } = await run('tar', ['-tzf', path])
  assert.equal(status, 0, stderr)
  const files = stdout.split('\n').filter((name) => name !== '')
  return { path, files: new Set(files.map((name) => name.replace(/^package\//, ''))) }
}

async function pack(folder: string, destination: string): Promise<void> {
  const args = ['pack', '--pack-destination', destination]
  const { status, stderr } = await runAsUser('npm', args, { cwd: folder, timeoutMs: 90_000 })
  assert.equal(status, 0, stderr)
}

/** Packing leaves what it compiles where it compiles it, and other test files may do so too. */
function copyOfRepository(t: Context): string {
  const copy = temporaryFolder(t)
  const others = new Set(
    ['.git', 'node_modules', 'dist', 'data', 'npm-shrinkwrap.json'].map((name) => join(repository, name)),
  )
  cpSync(repository, copy, { recursive: true, filter: (path) => !others.has(path) })
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'))
  return copy
}
