/** Whom each listener lets in that it should not, and whom it keeps out that should come in. */
import { quote } from '../../core/errors.ts'
import type { FailureName } from '../../core/failure/catalogue.ts'
import { type Finding, type FindingDetail, finding } from '../finding.ts'
import type { AccessList } from './access-list.ts'
import { type Admission, admissionOf } from './admission.ts'
import { type Configuration, flag, isOnLoopback, type Listener, listenerName } from './configuration.ts'
import { placeOf, type Setting } from './configuration-text.ts'

/** @param accessList that of a listener; null where it has none or none that can be read */
export function checkListeners(
  configuration: Configuration,
  accessList: (listener: Listener) => AccessList | null,
): readonly Finding[] {
  if (configuration.isLocalOnly) {
    const subject = configuration.settings[0]?.file ?? 'the configuration'
    // A broker with a bridge serves its own machine well, and a file with a bridge may be one of several.
    return [finding('mosquitto-local-only', subject, configuration.bridges.length === 0 ? {} : { severity: 'note' })]
  }
  return configuration.listeners.flatMap((listener) => {
    const admission = admissionOf(listener, false)
    const found = new ListenerFindings(listener, configuration)
    checkTls(found, listener, admission)
    checkProof(found, listener, admission, accessList(listener))
    checkRevocation(found, listener, admission)
    checkReach(found, listener, admission)
    return found.all
  })
}

/** Gathers what is found of one listener, each at the line that says it. */
class ListenerFindings {
  readonly all: Finding[] = []
  readonly #listener: Listener
  readonly #configuration: Configuration

  constructor(listener: Listener, configuration: Configuration) {
    this.#listener = listener
    this.#configuration = configuration
  }

  /** @param names of settings; the first that is there gives the line, else the line of the listener does */
  add(code: FailureName, names: readonly string[], detail: FindingDetail = {}): void {
    const { settings, at, plugins } = this.#listener
    const said = names.map((name) => settings.get(name) ?? plugins.find((each) => each.name === name))
    const setting = said.find((each): each is Setting => each !== undefined) ?? at ?? this.#configuration.settings[0]
    this.all.push(finding(code, setting === undefined ? 'the configuration' : placeOf(setting), detail))
  }
}

function checkTls(found: ListenerFindings, listener: Listener, admission: Admission): void {
  const { settings } = listener
  const name = listenerName(listener)
  const { hasCertificate, hasPsk, namesByProof, demandsCertificate, isWebSocket } = admission
  const wanted = [
    'require_certificate',
    'certfile',
    'keyfile',
    'cafile',
    'capath',
    'crlfile',
    'use_identity_as_username',
  ]
  const present = wanted.filter((each) => settings.has(each) && (!each.includes('_') || flag(listener, each)))
  if (!hasCertificate && !hasPsk && present.length > 0) {
    const missing = ['certfile', 'keyfile'].filter((each) => !settings.has(each)).join(' and ')
    found.add('mosquitto-tls-not-on', present, {
      evidence: `${name} has ${present.join(', ')} and no ${missing}: Mosquitto 2.0 starts all the same and speaks MQTT without TLS there`,
    })
  }
  if (hasCertificate && !hasPsk && namesByProof && !demandsCertificate) {
    found.add('mosquitto-certificate-not-requested', ['use_identity_as_username', 'use_subject_as_username'], {
      evidence: `${name} does not set require_certificate, so no client shows one, and each is refused with code 4, bad user name or password`,
    })
  }
  if (demandsCertificate && !settings.has('cafile') && !settings.has('capath')) {
    found.add('mosquitto-anchors-missing', ['require_certificate'])
  }
  if (flag(listener, 'disable_client_cert_date_checks')) {
    found.add('mosquitto-dates-unchecked', ['disable_client_cert_date_checks'])
  }
  const version = settings.get('tls_version')?.value
  if (version === 'tlsv1.3' && !isWebSocket)
    found.add('mosquitto-newest-tls-only', ['tls_version'], { severity: 'warning' })
  if (version === 'tlsv1' || version === 'tlsv1.0' || version === 'tlsv1.1') {
    found.add('mosquitto-tls-too-old', ['tls_version'], {
      severity: 'warning',
      evidence: `${name} takes TLS from ${version} on, where its OpenSSL still speaks it`,
    })
  }
  if (!isWebSocket) return
  for (const ignored of ['crlfile', 'capath', 'tls_version']) {
    if (!settings.has(ignored)) continue
    found.add('mosquitto-websockets-ignores', [ignored], {
      severity: ignored === 'tls_version' ? 'warning' : 'fault',
      evidence: `${name} is one for WebSocket, where mosquitto.conf(5) knows cafile, certfile, keyfile and ciphers alone, and not ${ignored}`,
    })
  }
}

function checkProof(found: ListenerFindings, listener: Listener, admission: Admission, list: AccessList | null): void {
  const name = listenerName(listener)
  const { hasPsk, demandsCertificate, namesByProof, allowsAnonymous, hasPasswords, hasPlugin } = admission
  const isProved = demandsCertificate || hasPsk
  const isNamed = isProved && namesByProof
  if (hasPsk && !listener.settings.has('psk_file') && !hasPlugin) found.add('mosquitto-psk-missing', ['psk_hint'])
  // Names by certificates that are never asked for keep everybody out, the anonymous too.
  const refusesAll = admission.hasCertificate && !hasPsk && namesByProof && !demandsCertificate
  if (refusesAll) return
  if (!isNamed && !allowsAnonymous && !hasPasswords && !hasPlugin) {
    const knows = isProved ? 'it asks for a proof and takes no name from it, and' : 'it'
    found.add('mosquitto-nobody-admitted', ['allow_anonymous', 'listener_allow_anonymous'], {
      evidence: `${name} does not allow anonymous clients (the default since Mosquitto 2.0), and ${knows} has no password_file and no plugin`,
    })
  }
  if (!isProved && allowsAnonymous) {
    found.add('mosquitto-anonymous', ['allow_anonymous', 'listener_allow_anonymous'], {
      ...(isOnLoopback(listener) ? { severity: 'note' as const } : {}),
      ...(hasPlugin ? { certainty: 'possible' as const } : {}),
      evidence: `${name} has allow_anonymous true and demands no certificate`,
    })
  }
  if (isNamed || !allowsAnonymous || hasPasswords || hasPlugin) return
  const goesByName = list?.goesByName ?? null
  if (goesByName === null && !isProved) return
  const whoever = isProved ? 'whoever holds a certificate of its authorities' : 'whoever connects'
  const so = goesByName === null ? '' : `, and gets what ${placeOf(goesByName)} gives to that name`
  found.add('mosquitto-name-unproven', ['allow_anonymous', 'listener_allow_anonymous'], {
    severity: goesByName === null ? 'warning' : isOnLoopback(listener) ? 'note' : 'fault',
    evidence: `${whoever} at ${name} may give any user name without a password${so}`,
  })
}

function checkRevocation(found: ListenerFindings, { settings }: Listener, admission: Admission): void {
  if (!admission.demandsCertificate || settings.has('crlfile')) return
  found.add('mosquitto-revocation-unchecked', ['require_certificate'], {
    severity: 'warning',
    evidence: 'no crlfile is set: a certificate that was revoked gets in until it expires',
  })
}

function checkReach(found: ListenerFindings, listener: Listener, admission: Admission): void {
  const name = listenerName(listener)
  const { hasCertificate, hasPsk, hasPasswords, namesByProof, hasPlugin } = admission
  const isNear = isOnLoopback(listener)
  if (hasPasswords && !hasCertificate && !hasPsk && !isNear) {
    found.add('mosquitto-passwords-in-clear', ['password_file'], {
      severity: 'warning',
      evidence: `${name} has passwords and no TLS`,
    })
  }
  if (isNear && listener.port !== 0 && hasCertificate) {
    found.add('mosquitto-loopback-only', [], {
      severity: 'note',
      evidence: `${name} has a certificate and is bound to ${quote(listener.address)}`,
    })
  }
  const dynamic = listener.plugins.find(({ value }) => value.includes('dynamic_security'))
  if (dynamic !== undefined && namesByProof) {
    found.add('mosquitto-dynsec-certificate', [dynamic.name], {
      severity: 'warning',
      evidence: `${name} names clients by their certificate, which skips the check of the plugin for disabled clients`,
    })
  }
  if (!listener.settings.has('acl_file') && !hasPlugin) {
    found.add('mosquitto-acl-absent', [], {
      severity: 'warning',
      evidence: `${name} has no acl_file: a client that is in may speak as every other`,
    })
  }
}
