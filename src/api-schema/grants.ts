/** What of an identity its certificates are made from: the profiles that it is granted, and its names. */
import { z } from 'zod'
import { limits } from '../core/limits.ts'

const names = (description: string) =>
  z.array(z.string().min(1).max(limits.identityNameCharsMax)).max(limits.identityNamesMax).meta({ description })

/** Judged by the parsers of the domain, whose failures have codes of their own. */
export const grantFields = {
  profiles: z
    .array(z.string().min(1).max(limits.profileNameCharsMax))
    .max(limits.identityProfilesMax)
    .meta({ description: 'names of the profiles that its certificates may be made from' }),
  dnsNames: names('DNS names that its certificates may have, without wildcards'),
  ipAddresses: names('addresses of one host each, IPv4 or IPv6'),
  emails: names('e-mail addresses in ASCII'),
} as const

/** The profile that a token is for. */
export const tokenProfile = z
  .string()
  .min(1)
  .max(limits.profileNameCharsMax)
  .optional()
  .meta({ description: 'profile of the certificate; it must be granted. `device`, or the first that is, without it' })
