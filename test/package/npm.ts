/** npm as a user runs it: without what an `npm test` above leaves in the environment. */
import assert from 'node:assert/strict'
import { delimiter, join } from 'node:path'
import { type Finished, type RunOptions, run } from '../support/run.ts'

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

/** What `npm pack` made: the name of the file, and the paths in it. */
export interface Packed {
  readonly file: string
  readonly paths: ReadonlySet<string>
}

/** Runs `npm pack` in a folder that has the packages to compile with. */
export async function pack(folder: string, destination: string): Promise<Packed> {
  const args = ['pack', '--json', '--pack-destination', destination]
  const { status, stdout, stderr } = await runAsUser('npm', args, { cwd: folder, timeoutMs: 90_000 })
  assert.equal(status, 0, stderr)
  const [made] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[]
  assert.ok(made !== undefined)
  return { file: made.filename, paths: new Set(made.files.map(({ path }) => path)) }
}
