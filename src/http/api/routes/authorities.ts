/** Routes of authorities and of their changes. */
import * as operations from '../../../api-schema/operations/authorities.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { Secret } from '../../../core/secret.ts'
import { decodePem, encodePem } from '../../../core/x509/pem.ts'
import {
  bringAuthorityKeyBack,
  exportAuthorityKey,
  type KeptKey,
  removeAuthorityKey,
} from '../../../hub/authority-keys.ts'
import { createChain } from '../../../hub/create-chain.ts'
import type { Making } from '../../../hub/make-authorities.ts'
import { installOwnRoot, requestForOwnRoot } from '../../../hub/own-root.ts'
import type { RollOverRow } from '../../../hub/ports/authorities.ts'
import { beginRollOver } from '../../../hub/roll-over/begin.ts'
import { cutRollOver, pauseRollOver, undoRollOver } from '../../../hub/roll-over/operate.ts'
import type { RollOverHub } from '../../../hub/roll-over/roll-over.ts'
import { describeRollOver } from '../../../hub/roll-over/status.ts'
import { type ApiListener, serve } from '../serve.ts'
import { authorityToView, rollOverToView } from '../to-view.ts'

/** Where authorities are changed. */
export interface AuthorityDesk extends RollOverHub, Making {
  /** Goes on with what is under way, as far as it can. */
  proceed(): Promise<unknown>
}

export function authorityRoutes(api: ApiListener, desk: AuthorityDesk): void {
  const { authorities } = desk
  const view = async (row: RollOverRow) => {
    await desk.proceed()
    const now = (await desk.store.rollOvers.all()).find(({ id }) => id === row.id) ?? row
    return { body: rollOverToView(await describeRollOver(desk.store, now)) }
  }

  serve(api, operations.listAuthorities, async () => ({
    body: { items: authorities.all().map(authorityToView) },
  }))

  serve(api, operations.showAuthority, async ({ params: { id } }) => {
    const authority = authorities.byId(id)
    if (authority === null) {
      throw new HubError('not-found', `there is no authority ${quote(id)}`, {
        hint: 'see them with `handfast ca list`',
      })
    }
    const crosses = (await desk.store.authorities.crossCertificates()).filter(({ subjectId }) => subjectId === id)
    return {
      body: {
        authority: authorityToView(authority),
        certificate: encodePem('CERTIFICATE', authority.certificate),
        path:
          authority.role === 'root' ? [] : authorities.pathFrom(authority).map((der) => encodePem('CERTIFICATE', der)),
        crossCertificates: crosses.map(({ certificate }) => encodePem('CERTIFICATE', certificate)),
      },
    }
  })

  serve(api, operations.createChain, async ({ actor, body }) => {
    const made = await createChain(desk, actor, body)
    return { body: { items: made.map(authorityToView) } }
  })

  serve(api, operations.exportAuthorityKey, async ({ actor, params: { id }, body }) => ({
    body: { id, key: await exportAuthorityKey(desk, actor, id, new Secret(body.passphrase)) },
  }))
  serve(api, operations.removeAuthorityKey, async ({ actor, params: { id }, body }) => ({
    body: authorityToView(await removeAuthorityKey(desk, actor, id, keptKey(body))),
  }))
  serve(api, operations.importAuthorityKey, async ({ actor, params: { id }, body }) => ({
    body: authorityToView(await bringAuthorityKeyBack(desk, actor, id, keptKey(body))),
  }))

  serve(api, operations.requestAuthority, async ({ actor, body }) => {
    const { id, request } = await requestForOwnRoot(desk, actor, body)
    return { body: { id, chain: body.chain, request: encodePem('CERTIFICATE REQUEST', request) } }
  })
  serve(api, operations.installAuthority, async ({ actor, params: { chain }, body }) => {
    const [certificate, root] = [certificateIn('certificate', body.certificate), certificateIn('root', body.root)]
    const made = await installOwnRoot(desk, actor, { chain, certificate, root })
    return { body: { items: made.map(authorityToView) } }
  })

  serve(api, operations.listRollOvers, async () => {
    const rows = await desk.store.rollOvers.all()
    const described = await Promise.all(rows.map((row) => describeRollOver(desk.store, row)))
    return { body: { items: described.map(rollOverToView) } }
  })

  serve(api, operations.beginRollOver, async ({ actor, body }) => view(await beginRollOver(desk, actor, body)))
  serve(api, operations.pauseRollOver, async ({ actor, params }) =>
    view(await pauseRollOver(desk, actor, params.chain, true)),
  )
  serve(api, operations.resumeRollOver, async ({ actor, params }) =>
    view(await pauseRollOver(desk, actor, params.chain, false)),
  )
  serve(api, operations.undoRollOver, async ({ actor, params }) => view(await undoRollOver(desk, actor, params.chain)))
  serve(api, operations.cutRollOver, async ({ actor, params, body }) =>
    view(await cutRollOver(desk, actor, params.chain, body)),
  )
}

function keptKey({ key, passphrase }: { readonly key: string; readonly passphrase: string }): KeptKey {
  return { pem: new Secret(key), passphrase: new Secret(passphrase) }
}

/** @throws HubError `own-root-refused` where it is not one certificate in PEM */
function certificateIn(what: string, pem: string): Uint8Array {
  const blocks = decodePem(pem, 'own-root-refused').filter(({ label }) => label === 'CERTIFICATE')
  const [block] = blocks
  if (block !== undefined && blocks.length === 1) return block.der
  const found = block === undefined ? 'holds no certificate in PEM' : `holds ${blocks.length} certificates, not one`
  throw new HubError('own-root-refused', `the field ${what} ${found}`)
}
