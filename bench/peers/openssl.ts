/** Which OpenSSL a process runs on. */
import { readFileSync } from 'node:fs'

export interface OpensslBuild {
  readonly version: string
  /** What may tell in speed of the flags that it was compiled with. */
  readonly flags: string
}

/** The OpenSSL that a running process has loaded: its libcrypto, or its own program where it is linked into that. */
export function loadedOpenssl(pid: number): OpensslBuild {
  const file = libcryptoIn(readFileSync(`/proc/${pid}/maps`, 'utf8')) ?? `/proc/${pid}/exe`
  const build = opensslIn(readFileSync(file))
  if (build === null) throw new Error(`no OpenSSL is in ${file}`)
  return build
}

/** The path of libcrypto in the memory map of a process, or null. */
export function libcryptoIn(maps: string): string | null {
  return /^\S+ \S+ \S+ \S+ \S+\s+(\/.*\/libcrypto\.so[^/\n]*)$/m.exec(maps)?.[1] ?? null
}

/** What a library or program says of the OpenSSL in it, or null. */
export function opensslIn(bytes: Buffer): OpensslBuild | null {
  const version = firstText(bytes, 'OpenSSL ', /^OpenSSL (\d+\.\d+\.\d+)[^ ]* \d+ \w+ \d{4}$/)?.[1]
  if (version === undefined) return null
  const compiler = firstText(bytes, 'compiler: ', /^compiler: (.*\S.*)$/)?.[1] ?? ''
  return { version, flags: tellingFlags(compiler) }
}

/** Optimisation and hardening. */
function tellingFlags(compiler: string): string {
  const flags = compiler.split(/\s+/).filter((flag) => {
    if (/^-f(PIC|pic|file-prefix-map=.*|debug-prefix-map=.*)$/.test(flag)) return false
    return /^-(O|f|m(arch|tune|cpu)=|D_FORTIFY_SOURCE)/.test(flag)
  })
  return [...new Set(flags)].join(' ')
}

const textBytesMax = 4_096

/** The first text in the bytes, ended by NUL, that begins so and matches. */
function firstText(bytes: Buffer, beginning: string, pattern: RegExp): RegExpExecArray | null {
  for (let at = bytes.indexOf(beginning); at >= 0; at = bytes.indexOf(beginning, at + 1)) {
    const near = bytes.subarray(at, at + textBytesMax)
    const end = near.indexOf(0)
    const match = pattern.exec(near.toString('latin1', 0, end < 0 ? near.length : end))
    if (match !== null) return match
  }
  return null
}
