/** Routes of the passwords of identities. */
import * as operations from '../../../api-schema/operations/passwords.ts'
import type { PasswordView } from '../../../api-schema/passwords.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import type { Password } from '../../../core/identity/password.ts'
import { type NewPassword, passwordsOf, revokePasswords, setPassword } from '../../../hub/passwords/change.ts'
import { PasswordHashing } from '../../../hub/passwords/hashing.ts'
import { type ApiListener, serve } from '../serve.ts'

export function passwordRoutes(api: ApiListener): void {
  const hashing = new PasswordHashing(api.hub.random)

  serve(api, operations.listPasswords, async ({ hub, params }) => ({
    body: { items: (await passwordsOf(hub.store, parseIdentityId(params.id))).map(passwordToView) },
  }))

  serve(api, operations.setPassword, async ({ hub, actor, access, keep, params, body }) => {
    const own = body.password
    const answerOf = ({ password, text }: NewPassword) => ({
      body: { password: passwordToView(password), text: own === null ? text.reveal() : null },
    })
    const set = await setPassword({ ...hub, hashing }, actor, parseIdentityId(params.id), own, {
      mayChange: (identity) => access.toIdentity(identity),
      finish: (tx, made) => keep(tx, answerOf(made)),
    })
    return answerOf(set)
  })

  serve(api, operations.revokePasswords, async ({ hub, actor, params, body }) => {
    const ended = await revokePasswords(hub, actor, parseIdentityId(params.id), body.password)
    return { body: { items: ended.map(passwordToView) } }
  })
}

function passwordToView({ id, identityId, state, createdAtMs, usedAtMs, endedAtMs }: Password): PasswordView {
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return {
    id,
    identity: identityId,
    state,
    createdAt: new Date(createdAtMs).toISOString(),
    usedAt: time(usedAtMs),
    endsAt: time(endedAtMs),
  }
}
