/** Keeps lines once, with the programs that printed them and every cause that made them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface GatheredLine {
  /** The program, with its version. */
  readonly by: string
  readonly side: 'client' | 'server'
  /** What the program was made to print it by: every true cause that was seen with it. */
  truths: string[]
  readonly line: string
}

export class Harvest {
  readonly #folder: string
  readonly #lines = new Map<string, GatheredLine>()

  constructor(folder: string) {
    this.#folder = folder
  }

  take(by: string, side: 'client' | 'server', { truth }: { readonly truth: readonly string[] }, text: string): void {
    for (const raw of text.split(/\r?\n/)) {
      const line = settled(raw)
      if (!isTelling(line)) continue
      const key = `${by}\n${line}`
      const kept = this.#lines.get(key)
      if (kept === undefined) this.#lines.set(key, { by, side, truths: [...truth], line })
      else kept.truths = [...new Set([...kept.truths, ...truth])]
    }
  }

  /** Writes a file for each program, a line of JSON for each line. */
  write(): void {
    mkdirSync(this.#folder, { recursive: true })
    for (const by of new Set([...this.#lines.values()].map((line) => line.by))) {
      const lines = [...this.#lines.values()].filter((line) => line.by === by)
      const name = `${by
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-|-$/g, '')}.ndjson`
      writeFileSync(join(this.#folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    }
  }
}

/** A line without what differs from run to run. */
function settled(line: string): string {
  return line
    .replaceAll(/\/tmp\/hf-lines-[A-Za-z0-9]+\/pki\//g, '/etc/device/')
    .replaceAll(/\/tmp\/hf-lines-[A-Za-z0-9]+\/built\//g, '/opt/app/')
    .replaceAll(/\/[\w/.-]*gather\/programs\//g, '/opt/app/')
    .replaceAll(/(?:\/[\w.@-]+)+\/node_modules\//g, '/opt/app/node_modules/')
    .replaceAll(/\b(127\.0\.0\.1|localhost)(:|, port | port |-)\d{4,5}\b/g, '$1$28883')
    .replaceAll(/(?<=port[: ]+)\d{4,5}\b/g, '8883')
    .replaceAll(/\[::1\]:\d{4,5}/g, '[::1]:8883')
    .replaceAll(/^\d{10}: /g, '1764086400: ')
    .replaceAll(/\b20\d\d([-/])\d\d\1\d\d([ T])\d\d:\d\d:\d\d([.,]\d+)?/g, '2025$111$125$216:00:00$3')
    .replaceAll(/\b[0-9A-F]{16}:error/g, '802B5A7C4F7F0000:error')
    .replaceAll(/(?<=16:00:00[.,])\d+/g, '000')
    .replaceAll(/\[0000[0-9a-f]{12}\]/g, '[00007f59791fe6c0]')
    .replaceAll(/\bid=0x[0-9a-f]+/g, 'id=0x7f5c2ad08180')
    .replaceAll(/\/tmp\/build-via-sdist-\w+\//g, '/build/')
    .replaceAll(/\b0x[0-9a-f]{9,16}\b/g, '0x7f5c2ad08180')
    .trimEnd()
}

/** True for lines in which somebody would look for the failure; dumps of certificates, greetings and source lines are none. */
function isTelling(line: string): boolean {
  if (line.length > 600 || line.trim().length < 3) return false
  const noise =
    /^ {2}File "|^\s+at |^\s+\^|sha(?:1|256)[:=]|^- Session ID|Config loaded|Not (?:Before|After)|fingerprint|<Buffer|\|2\| (?!.*alert message, type)/
  const source =
    /^(?:\s*(?:[0-9a-f]{2}[: ]){4}| *[A-Za-z0-9+/=]{40,}$|\s*[a-z_.]+ ?[(=] ?[a-z_]| {4}(?:return|raise|with|self) ?)/
  if (noise.test(line) || source.test(line)) return false
  return telling.test(line)
}

const telling =
  /error|fail|alert|verif|refus|denied|reject|expired|lost|close|connack|reset|unable|problem|could not|cannot|unknown|broken|eof|terminat|x509|PKIX|authoriz|mismatch|invalid|disconnect|fatal|errno|exception|unsupported|unsuitable|too |timeout|CERT_|'E[A-Z]+'|not found|no such|mid: |rc=|code|RC:|subscribe|on_|!/i

/** The lines of a folder. */
export function readLines(file: string): readonly GatheredLine[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as GatheredLine)
}
