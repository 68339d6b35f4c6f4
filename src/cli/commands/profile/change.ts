/** `handfast profile add`, `set` and `remove`. */
import { readFileSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import type { ProfileView } from '../../../api-schema/profiles.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { unreadable } from '../../../core/unreadable.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printJson, printLine, shellWord } from '../../output.ts'

export function defineAdd(command: Command): void {
  addHubOptions(command)
    .addHelpText(
      'after',
      '\nBegin with one that there is: `profile show device --json`. docs/profiles.md says each field.',
    )
    .action(async (file: string, options: HubOptions) => {
      const view = await hubOf(options).post<ProfileView>('/profiles', await readProfile(file))
      if (options.json) return printJson(view)
      const { name } = view.definition
      printLine(`the profile ${name} is added`)
      note(`Next: \`${handfast} device set <id> --profile ${shellWord(name)}\``)
    })
}

export function defineSet(command: Command): void {
  addHubOptions(command)
    .addHelpText('after', '\nWhat the file leaves out stays as it is. Certificates that were made keep what they say.')
    .action(async (file: string, options: HubOptions) => {
      const profile = await readProfile(file)
      const name: unknown = Reflect.get(profile, 'name')
      if (typeof name !== 'string') {
        throw new HubError('usage', `the file ${quote(file)} names no profile`, {
          hint: `give it the field "name", as \`${handfast} profile show <name> --json\` prints it`,
        })
      }
      const hub = hubOf(options)
      const before = await hub.get<ProfileView>(`/profiles/${pathPart(name)}`)
      const after = await hub.patch<ProfileView>(`/profiles/${pathPart(name)}`, profile, `"${before.version}"`)
      if (options.json) return printJson(after)
      const isSame = after.version === before.version
      printLine(`the profile ${name} is ${isSame ? 'so already' : `changed, version ${after.version}`}`)
    })
}

export function defineRemove(command: Command): void {
  addHubOptions(command).action(async (name: string, options: HubOptions) => {
    const view = await hubOf(options).post<ProfileView>(`/profiles/${pathPart(name)}/remove`, {})
    if (options.json) return printJson(view)
    printLine(`the profile ${name} is removed`)
  })
}

/** @throws HubError `usage` */
async function readProfile(path: string): Promise<object> {
  const text = path === '-' ? await readStandardInput() : readFile(path)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HubError('usage', `${named(path)} is not JSON: ${cause instanceof Error ? cause.message : ''}`, {
      hint: `see what a profile looks like with \`${handfast} profile show device --json\``,
      cause,
    })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new HubError('usage', `${named(path)} is not one profile`, { hint: 'write one object in braces' })
}

function named(path: string): string {
  return path === '-' ? 'standard input' : `the file ${quote(path)}`
}

function readFile(path: string): string {
  try {
    if (statSync(path).size > limits.apiBodyBytesMax) throw tooLarge(path)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof HubError) throw error
    const { words, hint } = unreadable(error)
    throw new HubError('usage', `the file ${quote(path)} ${words}`, { hint, cause: error })
  }
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    bytes += chunk.length
    if (bytes > limits.apiBodyBytesMax) throw tooLarge('-')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function tooLarge(path: string): HubError {
  return new HubError('usage', `${named(path)} is larger than ${limits.apiBodyBytesMax} bytes`, {
    hint: 'a profile takes about 2,000',
  })
}
