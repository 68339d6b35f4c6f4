/** Whom a listener lets in, and by what: derived once, judged in `listener-checks.ts`. */
import { flag, type Listener } from './configuration.ts'

export interface Admission {
  /** Both certificate and key are given; with one of them alone Mosquitto 2.0 speaks without TLS and says nothing. */
  readonly hasCertificate: boolean
  /** Pre-shared keys. */
  readonly hasPsk: boolean
  readonly isWebSocket: boolean
  /** A certificate below one of the authorities is demanded in the handshake. */
  readonly demandsCertificate: boolean
  /** The user name is taken from the certificate, or from the identity of a pre-shared key. */
  readonly namesByProof: boolean
  /** Whether clients without a user name come in. */
  readonly allowsAnonymous: boolean
  readonly hasPasswords: boolean
  readonly hasPlugin: boolean
}

/** @param isLocalOnly no listener is configured: the default one lets in whoever is on its machine */
export function admissionOf(listener: Listener, isLocalOnly: boolean): Admission {
  const { settings, plugins } = listener
  const hasCertificate = settings.has('certfile') && settings.has('keyfile')
  const hasPsk = settings.has('psk_hint')
  const ownSetting = settings.get('listener_allow_anonymous')
  return {
    hasCertificate,
    hasPsk,
    isWebSocket: settings.get('protocol')?.value === 'websockets',
    demandsCertificate: hasCertificate && flag(listener, 'require_certificate'),
    namesByProof: flag(listener, 'use_identity_as_username') || flag(listener, 'use_subject_as_username'),
    allowsAnonymous:
      ownSetting === undefined
        ? flag(listener, 'allow_anonymous', isLocalOnly)
        : flag(listener, 'listener_allow_anonymous'),
    hasPasswords: settings.has('password_file'),
    hasPlugin: plugins.length > 0,
  }
}

/** In words: what a client has to show. */
export function admissionText(admission: Admission): string {
  const { hasCertificate, hasPsk, demandsCertificate, namesByProof, allowsAnonymous, hasPasswords, hasPlugin } =
    admission
  const ways = [
    hasCertificate ? 'TLS' : hasPsk ? 'TLS with pre-shared keys' : 'no TLS',
    admission.isWebSocket ? 'WebSocket' : '',
    demandsCertificate ? 'a certificate demanded' : '',
    namesByProof ? 'named by it' : '',
    hasPasswords ? 'passwords' : '',
    hasPlugin ? 'a plugin decides' : '',
    allowsAnonymous ? 'anonymous clients' : '',
  ]
  return ways.filter((way) => way !== '').join(', ')
}
