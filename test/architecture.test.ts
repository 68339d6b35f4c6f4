/** The house rules as data: which room may import which, and what each may not touch. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const src = join(root, 'src')

/** Rooms (top folders of src, or files beside them) and the rooms they may import, besides themselves. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'api-schema': ['core'],
  config: ['core'],
  hub: ['core'],
  store: ['core', 'hub/ports'],
  disk: [],
  backup: ['core', 'disk', 'hub/ports'],
  check: ['core', 'hub/ports', 'store/schema.ts'],
  journal: ['core', 'disk', 'hub/ports'],
  keys: ['core', 'disk', 'hub/ports'],
  machine: ['core', 'disk', 'hub'],
  gate: ['core', 'hub'],
  link: ['core', 'hub'],
  http: ['core', 'hub', 'api-schema'],
  device: ['core', 'disk'],
  doctor: ['core', 'disk'],
  verify: ['core'],
  simulate: ['core', 'device', 'api-schema'],
  cli: [
    'core',
    'api-schema',
    'config',
    'device',
    'disk',
    'doctor',
    'verify',
    'simulate',
    'compose',
    'version.ts',
    'hub/ports/log.ts',
  ],
  'version.ts': [],
}

/** The only files that name concrete classes. */
const composer = 'compose'

/** What the domain may take from Node: pure functions and types. */
const corePackages: ReadonlySet<string> = new Set([
  'node:crypto',
  'node:buffer',
  'node:net',
  '@scure/bip39/wordlists/english.js',
  'yaml',
])

/** npm packages by the only rooms that may use them. */
const packageRooms: Readonly<Record<string, readonly string[]>> = {
  '@scure/bip39/wordlists/english.js': ['core'],
  kysely: ['store'],
  'node:sqlite': ['store', 'device'],
  fastify: ['http'],
  aedes: ['gate'],
  'age-encryption': ['backup'],
  'csv-parse': ['http'],
  'csv-parse/sync': ['http'],
  pg: ['store'],
  'prom-client': ['http'],
  mqtt: ['simulate'],
  uqr: ['cli'],
  ws: ['gate', 'doctor'],
  commander: ['cli'],
  pino: ['cli'],
  yaml: ['config', 'core'],
  zod: ['api-schema', 'config', 'http', 'link'],
}

/** Where a secret is taken out of its wrapping, and what for. Each entry is a place to look at when a secret has leaked. */
const secretsAreTakenOut: Readonly<Record<string, string>> = {
  'backup/make-backup.ts': 'the generated passphrase goes into a backup',
  'backup/sealing.ts': 'passphrases and identities are given to age',
  'cli/commands/ca/key.ts': 'the passphrase of a root goes to the hub, which opens the key with it',
  'cli/client-certificate.ts': 'the TLS connection of a person to the hub',
  'cli/exchange.ts': 'the Authorization header of a request to the hub',
  'compose/restore.ts': 'the generated passphrase of a backup becomes a file again',
  'compose/broker-files.ts': 'the key of the gate for a broker is compared with its certificate',
  'compose/gates/messages.ts':
    'the key of the listeners goes to the gate processes, over the channel of a child process',
  'compose/registry.ts': 'the URL of the database goes to the gate processes the same way',
  'compose/admin-key.ts': 'the file of the admin key',
  'core/identity/bootstrap.ts': 'a bootstrap string is written and read',
  'core/identity/token.ts': 'a token is read',
  'core/key-file/key-file.ts': 'a key file is encrypted',
  'core/key-file/key-reader.ts': 'a key or PFX that was brought is opened',
  'core/key-file/passphrase.ts': 'a passphrase is checked',
  'core/key-file/pfx.ts': 'a PFX is encrypted',
  'cli/bundle/bundle.ts': 'the files of a key',
  'cli/device-files/credential-files.ts': 'the files of a device',
  'cli/device-files/credentials.ts': 'the key of a store is copied into files',
  'cli/commands/convert.ts': 'the file of a key in another form',
  'cli/order-certificate.ts': 'a passphrase that was made here is told',
  'cli/bundle/passphrase.ts': 'a passphrase is compared with the same again',
  'doctor/files/mend/key-text.ts': 'the file of a key is written in another form',
  'doctor/files/mend/passphrase-text.ts': 'the file of a passphrase is written without what is none of it',
  'device/attach/attach.ts': 'the TLS connections of an application that the key is attached to',
  'doctor/probe/handshake.ts': 'the TLS connection of a probe shows a certificate',
  'doctor/probe/visit.ts': 'the password of a probe goes to a broker that has proved itself',
  'device/certificate-request.ts': 'a request is signed',
  'device/store/stored-key.ts': 'the file of a key',
  'device/est-client.ts': 'the Authorization header of an enrolment',
  'device/tls-options.ts': 'the TLS connections of an application on a device',
  'device/tls-exchange.ts': 'the key of a device that shows its certificate',
  'cli/commands/password/set.ts': 'a password that the operator brings goes to the hub',
  'gate/upstream/remote/dial.ts': 'the TLS connection of the gate to a broker',
  'gate/upstream/remote/introduction.ts': 'the password of the gate for a broker',
  'gate/tls-settings.ts': 'the TLS listener of the gate',
  'link/dial.ts': 'the key of a gate that links itself to its hub',
  'link/link-server.ts': 'the TLS listener of the gate link',
  'http/api/bootstrap.ts': 'the answer that hands out a bootstrap string',
  'http/api/routes/access.ts': 'the answer that hands out a new API key',
  'http/est/server-key-parts.ts': 'the answer that hands out a key of the hub',
  'http/listen.ts': 'TLS listeners of HTTP',
  'hub/api-keys.ts': 'a key is derived from the secret of a caller',
  'hub/brought-certificate.ts': 'the key of a certificate that the operator brings is checked',
  'hub/passwords/hashing.ts': 'a password is hashed and compared',
  'http/api/routes/passwords.ts': 'the answer that hands out a new password',
  'hub/people.ts': 'the key that seals the kept answers of people is derived',
  'hub/secret-text.ts': 'a secret is hashed',
  'keys/encrypted-key.ts': 'to encrypt a key that leaves, and to open one that comes back',
  'keys/key-encryption.ts': 'a key is derived from the passphrase',
  'store/postgres/address.ts': 'the URL of the database is read',
  'store/postgres/connections.ts': 'the password of a connection to the database',
  'simulate/device-session.ts': 'the TLS connection of a device',
}

interface SourceFile {
  readonly path: string
  readonly room: string
  readonly text: string
  readonly imports: readonly string[]
}

const files: readonly SourceFile[] = globSync('**/*.ts', { cwd: src })
  .map((path) => {
    const text = readFileSync(join(src, path), 'utf8')
    return { path, room: path.split('/')[0] ?? path, text, imports: importsOf(text) }
  })
  .sort((a, b) => a.path.localeCompare(b.path))

function importsOf(text: string): readonly string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s+'([^']+)'|(?:^|\n)\s*import\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The path below src that a relative import names. */
function target(file: SourceFile, specifier: string): string {
  return relative(src, join(src, dirname(file.path), specifier))
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}

test('there are source files to judge', () => {
  assert.ok(files.length > 50, `found ${files.length}`)
})

test('every room imports only the rooms it may', () => {
  const faults: string[] = []
  for (const file of files) {
    if (file.room === composer) continue
    const allowed = mayImport[file.room]
    if (allowed === undefined) {
      faults.push(`${file.path}: the room ${file.room} is not in the table`)
      continue
    }
    for (const specifier of file.imports.filter((name) => name.startsWith('.'))) {
      const path = target(file, specifier)
      if (path.startsWith('..')) faults.push(`${file.path} leaves src: ${specifier}`)
      else if (![file.room, ...allowed].some((place) => isWithin(path, place)))
        faults.push(`${file.path} imports ${path}`)
    }
  }
  assert.deepEqual(faults, [])
})

test('the table names only rooms that exist', () => {
  const rooms = new Set(files.map((file) => file.room))
  assert.deepEqual(
    Object.keys(mayImport).filter((room) => !rooms.has(room)),
    [],
  )
})

test('packages are used only in the rooms they were taken in for', () => {
  const faults: string[] = []
  for (const file of files.filter(({ room }) => room !== composer)) {
    for (const specifier of file.imports) {
      const rooms = packageRooms[specifier]
      if (rooms !== undefined && !rooms.includes(file.room)) faults.push(`${file.path} imports ${specifier}`)
      const isPackage = !specifier.startsWith('.') && !specifier.startsWith('node:')
      if (isPackage && rooms === undefined) faults.push(`${file.path} imports ${specifier}, which no room has taken in`)
    }
  }
  assert.deepEqual(faults, [])
})

test('core is pure: no clock, randomness, file, socket, timer or process', () => {
  const impure =
    /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.|\bprocess\.|\bsetTimeout\(|\bsetInterval\(|\bsetImmediate\(|\brandomBytes\b|\brandomUUID\b|\bgenerateKeyPair/
  const faults: string[] = []
  for (const file of files.filter(({ room }) => room === 'core')) {
    const match = impure.exec(file.text)
    if (match !== null) faults.push(`${file.path} uses ${match[0]}`)
    for (const specifier of file.imports) {
      if (!specifier.startsWith('.') && !corePackages.has(specifier)) faults.push(`${file.path} imports ${specifier}`)
    }
  }
  assert.deepEqual(faults, [])
})

test('a secret is taken out of its wrapping only where it is used', () => {
  const found = files.filter(({ text }) => /\.reveal\(\)/.test(text)).map(({ path }) => path)
  assert.deepEqual(found.toSorted(), Object.keys(secretsAreTakenOut).toSorted())
})

test('the device side reaches nothing of the hub, whatever way one walks', () => {
  const reached = reachableFrom(files.filter((file) => file.room === 'device').map((file) => file.path))
  const rooms = new Set([...reached].map((path) => path.split('/')[0]))
  assert.deepEqual([...rooms].sort(), ['core', 'device', 'disk'])
})

test('the device side needs no package, but for the words by which an operator approves a key', () => {
  const reached = reachableFrom(files.filter((file) => file.room === 'device').map((file) => file.path))
  const packages = files
    .filter(({ path }) => reached.has(path))
    .flatMap(({ imports }) => imports.filter((name) => !name.startsWith('.') && !name.startsWith('node:')))
  assert.deepEqual([...new Set(packages)], ['@scure/bip39/wordlists/english.js'])
  assert.match(
    files.find(({ path }) => path === 'device/enrol.ts')?.text ?? '',
    /await import\('\.\.\/core\/identity\/key-words\.ts'\)/,
  )
})

test('no file of core imports itself in a circle', () => {
  const circles = files
    .filter(({ room }) => room === 'core')
    .filter((file) => reachableFrom(runtimeTargets(file)).has(file.path))
    .map((file) => file.path)
  assert.deepEqual(circles, [])
})

test('no folder is a junk drawer', () => {
  const junk = /(^|\/)(util|utils|helpers?|common|misc|manager)(\/|\.ts$|-)/
  assert.deepEqual(
    files.map((file) => file.path).filter((path) => junk.test(path)),
    [],
  )
})

test('no source file is longer than 500 lines', () => {
  const long = files.filter((file) => file.text.split('\n').length > 501).map((file) => file.path)
  assert.deepEqual(long, [])
})

function reachableFrom(starts: readonly string[]): ReadonlySet<string> {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const reached = new Set<string>()
  const waiting = [...starts]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    const file = byPath.get(path)
    if (file !== undefined) waiting.push(...runtimeTargets(file))
  }
  return reached
}

function runtimeTargets(file: SourceFile): readonly string[] {
  return file.imports.filter((name) => name.startsWith('.')).map((name) => target(file, name))
}
