/** The hub as a service: installed by the commands of deploy/README.md, run by a real systemd under its whole hardening. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { DeviceDetailView, HubView } from '../../src/api-schema/views.ts'
import { limits } from '../../src/core/limits.ts'
import { needs } from '../support/programs.ts'
import { shellBlocks } from '../support/shell-page.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type Namespaces, namespacePrograms } from './namespaces.ts'
import { isRegistryReachable, npmVariables, packed, runAsUser, userPath, version } from './npm.ts'
import { startMachine } from './systemd-machine.ts'

const page = shellBlocks('deploy/README.md')
const later = '9.9.9'

/** The commands of the page under a heading. */
function commands(heading: string): string {
  const block = page.get(heading)
  assert.ok(block !== undefined, `deploy/README.md has no ${heading}`)
  return block
}

const isRoot = process.getuid?.() === 0
const programs = needs('systemctl', 'systemd-sysusers', 'npm', 'openssl', 'curl', ...namespacePrograms)
const hasMosquitto = existsSync('/usr/sbin/mosquitto') ? {} : { skip: 'mosquitto is not installed' }
const possible = isRoot ? programs : { skip: 'only root can have another systemd' }

// It installs 250 MB twice, and a busy machine takes minutes for that.
test('the service, as the page about it installs it', { ...possible, timeout: 420_000 }, async (t) => {
  const machine = await installedMachine(t)
  if (machine === null) return

  await t.test('starts, and answers the command line of root', async () => {
    await machine.output(commands('5. Start'))
    const hub = await serving(machine)
    assert.equal(hub.publicName, 'hub.plant.example')
    assert.equal(hub.version, version)
  })

  await t.test('runs the Mosquitto of the machine, which ends when the hub is killed', hasMosquitto, async () => {
    const broker = async (): Promise<string> => machine.output('pgrep --exact --uid handfast mosquitto')
    assert.equal((await serving(machine)).upstream.kind, 'mosquitto', await journal(machine))
    const before = await broker()
    assert.match(before, /^[0-9]+$/)
    assert.equal(await machine.output(`grep -c "^NoNewPrivs:.*1$" /proc/${before}/status`), '1')
    const hub = await machine.output(mainPid)
    await machine.output(`kill -KILL ${hub}`)
    await until(machine, `test "$(${mainPid})" != ${hub} && test "$(${mainPid})" != 0`)
    assert.equal((await serving(machine)).upstream.available, true)
    assert.notEqual(await broker(), before)
  })

  await t.test('serves devices: they enrol, connect and publish', async () => {
    const said = await handfast(machine, 'simulate --devices 3 --count 2 --interval 10')
    assert.match(said, /3 of 3 devices enrolled, 6 readings acknowledged, 0 failed/)
    const { credentials } = await json<DeviceDetailView>(machine, 'device show sim-1')
    assert.deepEqual(
      credentials.map(({ state }) => state),
      ['active'],
    )
    await handfast(machine, 'revoke sim-1')
    const crl = await machine.output(
      'curl --silent --fail http://localhost:8080/ca.pem > /tmp/ca.pem; openssl x509 -in /tmp/ca.pem -noout -subject',
    )
    assert.match(crl, /^subject=/)
  })

  await t.test('keeps what it writes to itself', async () => {
    assert.equal(await machine.output('stat -c "%U %a" /var/lib/handfast'), 'handfast 700')
    assert.equal(await machine.output('stat -c "%U %a" /etc/handfast/passphrase'), 'root 600')
    // Mosquitto opens its socket to all; the folder that it lies in is closed.
    const open = 'find /var/lib/handfast ! -name ca.pem ! -name broker.sock ! -type l -perm /077'
    assert.equal(await machine.output('stat -c %a /var/lib/handfast/broker 2>/dev/null || echo 700'), '700')
    assert.equal(await machine.output(open), '')
    assert.equal(
      await machine.output(
        'find /etc /opt /run /tmp /var -xdev -user handfast ! -path "/var/lib/handfast*" ! -path "/run/credentials/*"',
      ),
      '',
    )
    assert.equal(await machine.output('test ! -e /var/lib/handfast/keys/passphrase && echo none'), 'none')
  })

  await t.test('has no privilege, no shell and nothing to write to but its data', async () => {
    const status = await machine.output(`cat /proc/$(${mainPid})/status`)
    const field = (name: string): string | undefined => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]
    assert.deepEqual(['NoNewPrivs', 'Seccomp', 'CapEff', 'CapPrm', 'CapBnd', 'CapAmb'].map(field), [
      '1',
      '2',
      ...new Array(4).fill('0000000000000000'),
    ])
    assert.notEqual(field('Uid')?.split('\t')[0], '0')
    // Root here may have less to give than root of a server.
    const descriptors = Math.min(131_072, hardLimit(readFileSync('/proc/self/limits', 'utf8')))
    assert.equal(hardLimit(await machine.output(`cat /proc/$(${mainPid})/limits`)), descriptors)

    const within = (script: string): string => `nsenter --mount --target $(${mainPid}) ${script} 2>&1 || true`
    const node = '/opt/handfast/current/node_modules/.bin/node'
    assert.match(await machine.output(within('/bin/sh -c true')), /Permission denied/)
    const written = (path: string): string => `${node} -e "fs.writeFileSync('${path}', ''); console.log('written')"`
    for (const folder of ['/etc/handfast', '/opt/handfast', '/usr/lib', '/usr/bin', '/var/lib', '/srv']) {
      assert.match(await machine.output(within(written(`${folder}/x`))), /EROFS/, folder)
    }
    assert.match(await machine.output(within(written('/var/lib/handfast/x'))), /^written$/)
    await machine.output('rm /var/lib/handfast/x')
  })

  await t.test('comes back after kill -9, with all that it had acknowledged', async () => {
    const before = await machine.output(mainPid)
    await machine.output('systemctl kill --signal=KILL handfast')
    await until(machine, `test "$(${mainPid})" != ${before} && test "$(${mainPid})" != 0`)
    await serving(machine)
    const { credentials } = await json<DeviceDetailView>(machine, 'device show sim-1')
    assert.deepEqual(
      credentials.map(({ state }) => state),
      ['revoked'],
    )
  })

  await t.test('is upgraded by the commands of the page, and keeps its registry', async () => {
    const fromCache = `export npm_config_offline=true npm_config_cache=${await npmCache()}`
    await machine.output(`cd /srv/package; VERSION=${later}\n${fromCache}\n${commands('Upgrade')}`)
    await serving(machine)
    assert.equal(
      await machine.output(`readlink -f /proc/$(${mainPid})/cwd /opt/handfast/current`),
      `/etc/handfast\n/opt/handfast/${later}`,
    )
    assert.match(await machine.output(`tr '\\0' ' ' < /proc/$(${mainPid})/cmdline`), /^\/opt\/handfast\/current\//)
    assert.equal((await json<DeviceDetailView>(machine, 'device show sim-1')).device.id, 'sim-1')
  })

  await t.test('stays down, and says why, where a setting is not valid', async () => {
    await machine.output('cp /etc/handfast/handfast.yaml /tmp/; echo "mqtt-port: many" >> /etc/handfast/handfast.yaml')
    await machine.run('systemctl restart handfast')
    await until(machine, 'systemctl is-failed --quiet handfast')
    assert.equal(await property(machine, 'ExecMainStatus', 'NRestarts'), '2 0')
    assert.match(await journal(machine), /"many" is not a port/)
    await machine.output('cp /tmp/handfast.yaml /etc/handfast/; systemctl restart handfast')
    await serving(machine)
  })

  await t.test('does not start without its passphrase, rather than make a new one', async () => {
    await machine.output('systemctl stop handfast; mv /etc/handfast/passphrase /etc/handfast/elsewhere')
    await machine.run('systemctl start handfast')
    await until(machine, 'journalctl -u handfast | grep -q status=243/CREDENTIALS')
    await machine.output('mv /etc/handfast/elsewhere /etc/handfast/passphrase; systemctl restart handfast')
    await serving(machine)
  })

  await t.test('would not start with MemoryDenyWriteExecute, which is why it does without', async () => {
    const dropIn = '/run/systemd/system/handfast.service.d/strict.conf'
    await machine.output(
      `install -d $(dirname ${dropIn}); printf '[Service]\\nMemoryDenyWriteExecute=yes\\n' > ${dropIn}`,
    )
    await machine.run('systemctl daemon-reload; systemctl restart handfast')
    await until(machine, 'test "$(systemctl show --property Result --value handfast)" = signal')
    await machine.output(`rm ${dropIn}; systemctl daemon-reload; systemctl restart handfast`)
    await serving(machine)
  })

  await t.test('serves a port below 1024 with the drop-in for it, and not without', async () => {
    await machine.output('echo "http-port: 80" >> /etc/handfast/handfast.yaml; systemctl restart handfast')
    await until(machine, 'journalctl -u handfast | grep -q address-unavailable')
    await machine.output(commands('What the service may do'))
    await machine.output('systemctl daemon-reload; systemctl restart handfast')
    await serving(machine)
    assert.equal(await machine.output('curl --silent http://localhost/healthz'), '{"status":"ok"}')
    const capabilities = await machine.output(`grep -E "^Cap(Eff|Bnd)" /proc/$(${mainPid})/status | cut -f 2 | sort -u`)
    assert.equal(capabilities, '0000000000000400')
  })

  await t.test('ends at once and well when it is stopped', async () => {
    const startMs = performance.now()
    await machine.output('systemctl stop handfast')
    assert.ok(performance.now() - startMs < limits.drainMs + 10_000)
    assert.equal(await property(machine, 'Result', 'ExecMainStatus'), 'success 0')
  })

  await t.test('is gone after the commands of the page, but for what cannot be had again', async () => {
    await machine.output(commands('Uninstall'))
    const left = await machine.output(
      'find /etc /etc/systemd/system /opt /usr /var -xdev -name "*handfast*" -print -prune | sort',
    )
    assert.equal(left, '/etc/handfast\n/var/lib/handfast')
  })
})

function hardLimit(limitsOfProcess: string): number {
  const text = /^Max open files +[0-9]+ +([0-9]+|unlimited)/m.exec(limitsOfProcess)?.[1]
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
}

const mainPid = 'systemctl show --property MainPID --value handfast'
/** There the network is gone: npm takes from its cache what the first installation has left in it. */
async function npmCache(): Promise<string> {
  return (await runAsUser('npm', ['config', 'get', 'cache'])).stdout.trim()
}

/** A machine on which the page's commands have been typed, up to the start; null where there can be none. */
async function installedMachine(t: TestContext): Promise<Namespaces | null> {
  const folder = temporaryFolder(t)
  const { path } = await packed(t, folder)
  assert.match(commands('2. The program'), new RegExp(`^VERSION=${version}$`, 'm'))
  copyFileSync(path, join(folder, `handfast-${later}.tgz`))
  const isReachable = await isRegistryReachable(folder)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !npmVariables.includes(name)))
  const prepare = [
    'echo 127.0.0.1 hub.plant.example >> /etc/hosts',
    ...['2. The program', '3. User, service, command', '4. Settings and the passphrase'].map(commands),
  ]
  return startMachine(t, {
    folder,
    prepare: prepare.join('\n'),
    env: { ...env, PATH: userPath, [`npm_config_${isReachable ? 'prefer_offline' : 'offline'}`]: 'true' },
  })
}

function handfast(machine: Namespaces, line: string): Promise<string> {
  return machine.output(`HANDFAST_DATA=/var/lib/handfast handfast ${line}`)
}

async function json<T>(machine: Namespaces, line: string): Promise<T> {
  return JSON.parse(await handfast(machine, `${line} --json`)) as T
}

/** Waits until the hub serves. */
async function serving(machine: Namespaces): Promise<HubView> {
  await until(machine, 'HANDFAST_DATA=/var/lib/handfast handfast status')
  return json<HubView>(machine, 'status')
}

async function until(machine: Namespaces, condition: string): Promise<void> {
  const { status } = await machine.run(
    `for i in {1..300}; do if ${condition}; then exit 0; fi; sleep 0.1; done; exit 1`,
  )
  assert.equal(status, 0, `never: ${condition}\n${await journal(machine)}`)
}

async function property(machine: Namespaces, ...names: readonly string[]): Promise<string> {
  const values = names.map((name) => machine.output(`systemctl show --property ${name} --value handfast`))
  return (await Promise.all(values)).join(' ')
}

function journal(machine: Namespaces): Promise<string> {
  return machine.output('journalctl --no-pager --lines 60 --unit handfast')
}
