/** `csrattrs`: what a request should look like (RFC 7030 §4.5, RFC 9908). Anybody may ask; the answer is about a profile. */
import { HubError, quote } from '../../core/errors.ts'
import { deviceProfile } from '../../core/profile/built-in.ts'
import { csrAttributes } from '../../core/x509/csr-attributes.ts'
import { base64Lines } from './base64.ts'
import type { AddOperation, EstServerOptions } from './est-server.ts'

export function addCsrAttributes(add: AddOperation, { profileNamed }: Pick<EstServerOptions, 'profileNamed'>): void {
  add('GET', 'csrattrs', async ({ reply, label }) => {
    const profile = await profileNamed(label ?? deviceProfile.name)
    // Profiles that the hub keeps for itself are granted to nobody.
    if (profile === null || profile.kinds.length === 0) {
      throw new HubError('profile-not-found', `there is no profile ${quote(label ?? deviceProfile.name)}`)
    }
    // The name is the registry's to know, and no extension is the client's to choose.
    const attributes = csrAttributes({ keyTypes: profile.keyTypes, commonName: null, extensionsToFill: [] })
    return reply.header('Content-Type', 'application/csrattrs').send(base64Lines(attributes))
  })
}
