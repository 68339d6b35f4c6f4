/** A program that reaches a key is run without a shell, for a bounded time, and what it prints is read up to a limit. */
import { spawn } from 'node:child_process'
import { HubError, quote } from '../../core/errors.ts'
import { deviceLimits } from '../limits.ts'

export interface KeyProgramCall {
  readonly program: string
  readonly args: readonly string[]
  /** What it reads on its standard input. */
  readonly input?: Uint8Array
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * @returns what it printed on its standard output
 * @throws HubError `key-program-failed`, with the last line that it wrote to standard error
 */
export function runKeyProgram({ program, args, input, env }: KeyProgramCall): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      // A group of its own, so that what it has started ends with it.
      detached: true,
    })
    let output = Buffer.alloc(0)
    let said = ''
    let stopped = ''
    const stop = (why: string): void => {
      stopped ||= why
      if (child.pid !== undefined) killGroup(child.pid)
    }
    const deadline = setTimeout(
      () => stop(`has not ended after ${deviceLimits.keyProgramMs / 1000} s`),
      deviceLimits.keyProgramMs,
    )
    const fail = (how: string): void => {
      clearTimeout(deadline)
      const told = tellingLine(said)
      reject(new HubError('key-program-failed', `${quote(program)} ${how}${told === '' ? '' : `: ${told}`}`))
    }
    child.stdout.on('data', (chunk: Buffer) => {
      if (output.length + chunk.length > deviceLimits.keyProgramBytesMax) {
        stop(`printed more than ${deviceLimits.keyProgramBytesMax} bytes`)
      } else output = Buffer.concat([output, chunk])
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-deviceLimits.hookTextCharsMax)
    })
    // One that does not read all of its input may be right all the same: its answer says so.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.once('error', (error: NodeJS.ErrnoException) => fail(`cannot be run (${error.code})`))
    child.once('close', (status, signal) => {
      if (stopped !== '') return fail(stopped)
      if (status !== 0) return fail(`ended with ${signal ?? status}`)
      clearTimeout(deadline)
      resolve(output)
    })
  })
}

/** The line of a program's complaint that says most: OpenSSL puts its own traces behind it. */
export function tellingLine(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim())
    .filter((line) => line !== '' && !/^Engine "\w+" set\.$/.test(line))
  const words = lines.filter((line) => !/^[0-9A-F]{8,}:error:/.test(line))
  return (words.at(-1) ?? lines.at(-1) ?? '').slice(0, deviceLimits.toldCharsMax)
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
