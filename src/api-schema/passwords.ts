/** Passwords of identities: what is asked for and what is answered. */
import { z } from 'zod'
import { passwordStates } from '../core/identity/password.ts'
import { limits } from '../core/limits.ts'
import { answerNamed, requestNamed } from './components.ts'
import { deviceId } from './requests.ts'

const time = (description: string) => z.string().meta({ format: 'date-time', description })

/** The identity in a path. */
export const passwordParams = z.strictObject({
  id: deviceId.meta({ description: 'id of the device, service or user; it is the user name, too' }),
})

const passwordId = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .meta({ description: 'names the password; it is not secret' })

export const setPasswordRequest = requestNamed(
  'SetPasswordRequest',
  'A password to give.',
  z.strictObject({
    password: z
      .string()
      .nullable()
      .default(null)
      .meta({
        description: `secret: the password itself, ${limits.passwordCharsMin} to ${limits.passwordCharsMax} characters; null for one that the hub makes`,
      }),
  }),
)
export type SetPasswordRequest = z.input<typeof setPasswordRequest>

export const revokePasswordsRequest = requestNamed(
  'RevokePasswordsRequest',
  'Which passwords to end.',
  z.strictObject({ password: passwordId.nullable().default(null).meta({ description: 'by its id; null for all' }) }),
)
export type RevokePasswordsRequest = z.input<typeof revokePasswordsRequest>

export const passwordView = answerNamed(
  'PasswordView',
  'A password, without its text, which is not kept.',
  z.object({
    id: passwordId,
    identity: z.string(),
    state: z
      .enum(passwordStates)
      .meta({ description: 'pending until its first use, superseded once another was used, ended for ever' }),
    createdAt: time('when it was set'),
    usedAt: time('its first use').nullable(),
    endsAt: time('when it ended, or will').nullable(),
  }),
)
export type PasswordView = z.infer<typeof passwordView>

export const newPasswordView = answerNamed(
  'NewPasswordView',
  'A password that was just set.',
  z.object({
    password: passwordView,
    text: z.string().nullable().meta({ description: 'secret, shown once; null where it was brought along' }),
  }),
)
export type NewPasswordView = z.infer<typeof newPasswordView>

export const passwordListView = answerNamed(
  'PasswordListView',
  'The passwords of an identity, newest first.',
  z.object({ items: z.array(passwordView) }),
)
export type PasswordListView = z.infer<typeof passwordListView>
