// Installs what a command needs and is not there: npm's packages, and for the tests Debian's programs too.
// Plain JavaScript for the Node of the machine: it runs before Node 24 has been installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInstalled } from './programs.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Programs that some tests drive: name, Debian packages, and what is left out without it. */
const programs = [
  ['openssl', 'openssl', 'conformance with OpenSSL and every test that needs foreign certificates'],
  ['certtool', 'gnutls-bin', 'conformance with GnuTLS'],
  ['pk12util', 'libnss3-tools', 'conformance with NSS'],
  ['libmbedx509.so', 'libmbedtls-dev', 'conformance with mbedTLS'],
  ['libwolfssl.so', 'libwolfssl-dev', 'key files and a device in C with wolfSSL'],
  ['cc', 'gcc libc6-dev', 'a device in C with mbedTLS'],
  ['libpaho-mqtt3cs.so', 'libpaho-mqtt-dev', 'the example for Paho in C'],
  ['c++', 'g++', 'the sketch for Arduino'],
  ['mcs', 'mono-mcs', 'the syntax of the examples in C#'],
  ['libbearssl.so', 'libbearssl-dev', 'conformance with BearSSL'],
  ['mosquitto', 'mosquitto', 'the comparison with Mosquitto'],
  ['mosquitto_pub', 'mosquitto-clients', 'conformance with the Mosquitto clients'],
  ['paho/__init__.py', 'python3-paho-mqtt', 'conformance of policies with Paho'],
  ['nats-server', 'nats-server', 'a NATS cluster as the broker behind the gate'],
  ['curl', 'curl', 'conformance of EST with curl'],
  ['python3', 'python3', 'channel binding with a TLS 1.2 client that is not ours'],
  ['initdb', 'postgresql', 'every test of the registry on PostgreSQL'],
  ['age', 'age', 'conformance of encrypted backups with age'],
  ['softhsm2-util', 'softhsm2', 'keys in a token'],
  ['pkcs11-tool', 'opensc', 'keys in a token'],
  ['engines-3/pkcs11.so', 'libengine-pkcs11-openssl', 'keys in a token'],
  ['swtpm', 'swtpm', 'keys in a TPM'],
  ['tpm2_createprimary', 'tpm2-tools', 'keys in a TPM'],
  ['ossl-modules/tpm2.so', 'tpm2-openssl', 'keys in a TPM'],
  ['tpm2-abrmd', 'tpm2-abrmd', 'keys in a TPM'],
  ['libtss2-tcti-tabrmd.so', 'libtss2-tcti-tabrmd0', 'keys in a TPM'],
  ['dbus-daemon', 'dbus', 'keys in a TPM'],
  ['strace', 'strace', 'the journal under failing disks'],
  ['faketime', 'faketime', 'tests with the clock of another day'],
  ['prometheus', 'prometheus', 'conformance with Prometheus, and the tests of the alerts'],
  ['zsh', 'zsh', 'completion in zsh'],
  ['fish', 'fish', 'completion in fish'],
  ['systemd-analyze', 'systemd', 'the service under a systemd of its own, and the judgement of systemd on it'],
  ['ip', 'iproute2', 'the image, carried out without an engine'],
  ['mandoc', 'mandoc', 'the judgement of mandoc on the manual page'],
]

installPackages()
if (process.argv.includes('--test')) installPrograms()

function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const mark = join(root, 'node_modules', '.handfast-installed')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    process.stderr.write(
      'error: node_modules is a link to another folder, which installing would empty\n  hint: remove the link, or install there\n',
    )
    process.exit(1)
  }
  process.stderr.write('installing npm packages (once)\n')
  const npm = process.env.npm_execpath
  const [command, ...start] = npm ? [process.execPath, npm] : ['npm']
  const done = spawnSync(command, [...start, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (done.status !== 0) {
    process.stderr.write(
      'error: npm could not install the packages\n  hint: check that the npm registry can be reached, then try again\n',
    )
    process.exit(1)
  }
  writeFileSync(mark, lock)
}

function installPrograms() {
  let missing = programs.filter(([name]) => !isInstalled(name))
  if (missing.length > 0 && process.getuid?.() === 0 && isInstalled('apt-get')) {
    const packages = missing.flatMap(([, debian]) => debian.split(' '))
    process.stderr.write(`installing Debian packages for the tests: ${packages.join(' ')}\n`)
    // RUNLEVEL=1 keeps the packages' services from starting: the tests start their own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    const apt = (...args) => spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 2] })
    apt('update')
    apt('install', '-y', '--no-install-recommends', ...packages)
    missing = programs.filter(([name]) => !isInstalled(name))
  }
  for (const [name, debian, without] of missing) {
    process.stderr.write(`left out: ${without}, because ${name} is missing (apt-get install ${debian})\n`)
  }
}
