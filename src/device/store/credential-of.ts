/** A certificate together with its key, wherever the key is, as a store takes it. */
import { Secret } from '../../core/secret.ts'
import type { DeviceKey } from '../key-elsewhere/reference.ts'
import type { NewCertificate, NewCredential, NewReferredCredential } from './credential.ts'

export function credentialOf(key: DeviceKey, certificate: NewCertificate): NewCredential | NewReferredCredential {
  return key instanceof Secret ? { ...certificate, keyPem: key } : { ...certificate, keyReference: key }
}
