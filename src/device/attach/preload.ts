/**
 * What `node --import handfast/device/attach app.js` loads before the application.
 *
 *     HANDFAST_DEVICE_DIR     the folder that holds the credential of this device
 *     HANDFAST_ATTACH_HOSTS   where the certificate is shown, as in "hub.plant.example *.azure-devices.net:8883"; without it, the hub
 *
 * No secret stands in either: the key is read from the folder. Settings that cannot be used end the process before the
 * application starts; a folder that holds no credential yet does not, since an agent may still be about to enrol.
 */
import { HubError } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import { wireForms } from '../../core/failure/wire-forms.ts'
import { credentialSource } from '../credential-source.ts'
import { attach } from './attach.ts'
import { parseHosts } from './hosts.ts'

/** The first Node with all that is needed here. */
const nodeMajor = 24

/** What was said at the start, until a connection meets the same. */
let saidAtStart: string | null = null

try {
  if (Number.parseInt(process.versions.node, 10) < nodeMajor) {
    throw new HubError(
      'node-too-old',
      `this Node.js is ${process.versions.node}, and ${nodeMajor} or later is needed`,
      {
        hint: 'start the application with node_modules/.bin/node, which came with handfast',
      },
    )
  }
  const { HANDFAST_DEVICE_DIR: directory, HANDFAST_ATTACH_HOSTS: hosts } = process.env
  if (!directory) {
    throw new HubError('attachment-misconfigured', 'HANDFAST_DEVICE_DIR is not set', {
      hint: 'set it to the folder that `handfast enrol` was given with --dir',
    })
  }
  const source = credentialSource(directory, notice)
  if (attach({ source, hosts: hosts ? parseHosts(hosts) : null, warn: warnLater })) look(source)
} catch (error) {
  if (!(error instanceof HubError)) throw error
  process.stderr.write(
    `error: ${error.message}\n  code: ${failure(error.code).id} ${error.code}\n  hint: ${error.hint}\n`,
  )
  process.exit(wireForms[failure(error.code).kind].exit)
}

/** Says at the start already what would keep the certificate back later. */
function look(source: { current(): unknown }): void {
  try {
    source.current()
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    saidAtStart = error.message
    warn(error)
  }
}

function warnLater(problem: HubError): void {
  if (problem.message !== saidAtStart) warn(problem)
  saidAtStart = null
}

function notice(text: string): void {
  process.emitWarning(text, { type: 'HandfastWarning' })
}

function warn({ code, message, hint }: HubError): void {
  process.emitWarning(`${message}; no certificate is shown`, {
    type: 'HandfastWarning',
    code: failure(code).id,
    detail: `hint: ${hint}`,
  })
}
