/**
 * Judging clients by the word of the hub that has issued their certificates: a certificate is its row in the registry, as at the gate.
 * The hub is asked once about each, and tells when somebody has changed.
 */
import { HubError, quote } from '../core/errors.ts'
import { type IdentityKind, identityKinds } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import { type CompiledPolicy, compilePolicy, defaultPolicy } from '../core/policy/compile.ts'
import { authoritiesPem, readAuthorities } from './authorities.ts'
import { Answers } from './hub/answers.ts'
import { type HubConnection, type HubPlace, hubConnection } from './hub/connection.ts'
import { Follower } from './hub/follow.ts'
import { type PeerAnswer, readActivePolicy, readAnswers, readAuthorityList, readChanges } from './hub/wire.ts'
import { issuedPeer } from './issued-peer.ts'
import { type Leaf, LeafJudge, refused } from './leaf.ts'
import { readPolicyText, rightsBy } from './policy.ts'
import { surfacing } from './surfacing.ts'
import type { Verdict } from './verdict.ts'
import { type Verifier, verifierOf } from './verifier.ts'

export interface HubOptions {
  readonly hub: HubPlace
  /** Which kinds of identity come in; devices alone where it is left out. */
  readonly kinds?: readonly IdentityKind[]
  /**
   * How old the word of the hub may be on which a verdict rests, in seconds; 300 where it is left out, 5 to 86400. A hub that is reached
   * tells of changes at once; when it is not reached for so long, nobody comes in any more and connections that are watched end.
   */
  readonly staleSec?: number
  /** A policy file as text in the place of the one that is active in the hub. */
  readonly policy?: string
  /** Told when the hub does not answer; it is asked again. */
  readonly warn?: (error: unknown) => void
  /** Milliseconds since the epoch; the clock of the system where it is left out. */
  readonly nowMs?: () => number
  /** For tests: in the place of the network. */
  readonly connection?: HubConnection
  /** For tests: milliseconds that nobody sets back. */
  readonly monotonicMs?: () => number
}

/**
 * Hears from the hub once before it is there.
 *
 * @throws HubError `verify-settings-invalid`, `policy-invalid`, `verify-hub-silent`, `verify-not-granted`, and why else the hub refuses
 */
export async function verifyByHub(options: HubOptions): Promise<Verifier> {
  const { kinds = ['device'], staleSec = limits.verifyStaleSecDefault } = options
  const warn = surfacing(options.warn ?? (() => {}))
  const { nowMs = Date.now, monotonicMs = () => performance.now() } = options
  assertOptions(kinds, staleSec)
  const own = options.policy === undefined ? null : compilePolicy(await readPolicyText(options.policy))
  const connection = options.connection ?? hubConnection(options.hub)
  const ask = (path: string): Promise<unknown> => connection.ask(`/verifier/${path}`, limits.verifyQuestionMs)
  const answers = new Answers(async (fingerprints) =>
    readAnswers(await ask(`certificates?sha256=${fingerprints.join(',')}`), fingerprints.length),
  )
  let leaves = new LeafJudge([])
  let compiled: CompiledPolicy = own ?? compilePolicy(defaultPolicy)
  const listeners: (() => void)[] = []

  const follower = new Follower({
    async poll(after, waitSec, signal) {
      const query = new URLSearchParams({ wait: String(waitSec), ...(after === null ? {} : { after }) })
      const timeMs = waitSec * 1_000 + limits.verifyQuestionMs
      return readChanges(await connection.ask(`/verifier/changes?${query}`, timeMs, signal))
    },
    forget: (ids) => answers.forget(ids),
    async readAgain() {
      leaves = new LeafJudge(readAuthorities(readAuthorityList(await ask('authorities'))))
      if (own === null) compiled = await compiledOrClosed(readActivePolicy(await ask('policy')), warn)
    },
    changed() {
      for (const listener of listeners) listener()
    },
    ...{ warn, staleSec, monotonicMs },
  })

  async function judge(der: Uint8Array | null): Promise<Verdict> {
    const atMs = nowMs()
    if (!follower.isFresh()) {
      return refused('verify-hub-stale', `the hub has not been heard for more than ${staleSec} s`, null)
    }
    const judged = leaves.judge(der, Math.floor(atMs / 1000))
    if (judged.admitted === false) return judged
    const { leaf } = judged
    let answer: PeerAnswer
    try {
      answer = await answers.of(leaf.facts.fingerprint, atMs)
    } catch (error) {
      if (!(error instanceof HubError)) throw error
      return refused('verify-hub-silent', `nobody answers who ${leaf.facts.subject} is: ${error.message}`, leaf.facts)
    }
    return verdictOf(leaf, answer)
  }

  function verdictOf(leaf: Leaf, answer: PeerAnswer): Verdict {
    if (!answer.admitted) return refused(answer.code, answer.sentence, leaf.facts)
    if (!kinds.includes(answer.kind)) {
      const sentence = `${answer.id} is a ${answer.kind}, and only ${kinds.join(', ')} may come in here`
      return refused('verify-kind-outside', sentence, leaf.facts)
    }
    const peer = issuedPeer(leaf, answer)
    return { admitted: true, peer, rights: (arrival = {}) => rightsBy(compiled, peer, arrival, nowMs()) }
  }

  try {
    await follower.begin()
  } catch (error) {
    connection.close()
    throw error
  }
  return verifierOf(
    {
      ...{ judge, silentSecMax: staleSec, ca: () => authoritiesPem(leaves.authorities) },
      onChange: (listener) => void listeners.push(listener),
      close() {
        follower.stop()
        connection.close()
      },
    },
    monotonicMs,
  )
}

/** A newer hub may have a policy that is not understood here: then nobody may do anything. */
async function compiledOrClosed(source: string | null, warn: (error: unknown) => void): Promise<CompiledPolicy> {
  if (source === null) return compilePolicy(defaultPolicy)
  try {
    return compilePolicy(await readPolicyText(source))
  } catch (error) {
    warn(error)
    return compilePolicy({ ...defaultPolicy, bindings: [] })
  }
}

function assertOptions(kinds: readonly IdentityKind[], staleSec: number): void {
  const { verifyStaleSecMin: min, verifyStaleSecMax: max } = limits
  if (!(staleSec >= min && staleSec <= max)) {
    throw new HubError('verify-settings-invalid', `staleSec is ${quote(staleSec)}, and ${min} to ${max} are taken`)
  }
  const stranger = kinds.find((kind) => !identityKinds.includes(kind))
  if (kinds.length > 0 && stranger === undefined) return
  throw new HubError(
    'verify-settings-invalid',
    `kinds are ${quote(kinds.join())}, and ${identityKinds.join(', ')} are known`,
  )
}
