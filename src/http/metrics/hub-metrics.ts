/** The figures of a hub as Prometheus reads them: counts what the parts tell, and shows what a look at the hub finds. */
import type { HubFigures } from '../../hub/figures.ts'
import type { GateFigures } from '../../hub/ports/figures.ts'
import type { Observer } from '../../hub/ports/observer.ts'
import { readinessCodes } from '../../hub/readiness.ts'
import type { RegistryCounts } from '../../hub/registry-counts.ts'
import { MetricRegistry } from './metric-registry.ts'

export class HubMetrics implements Observer {
  readonly #metrics = new MetricRegistry()

  constructor(version: string) {
    this.#metrics.gauge('handfast_build_info').set({ version }, 1)
    this.#showZeros()
  }

  /** Adds figures of the process and of Node.js. */
  watchProcess(): void {
    this.#metrics.watchProcess()
  }

  get contentType(): string {
    return this.#metrics.contentType
  }

  /** The text of all figures, as `contentType` says. */
  text(figures: HubFigures): Promise<string> {
    this.#show(figures)
    return this.#metrics.text()
  }

  attempt({ listener, outcome, stage, code }: Parameters<Observer['attempt']>[0]): void {
    this.#metrics.counter('handfast_attempts_total').inc({ listener, outcome, stage, code: code ?? 'none' })
  }

  attemptDropped(): void {
    this.#metrics.counter('handfast_attempts_unrecorded_total').inc()
  }

  sessionEnded(cause: Parameters<Observer['sessionEnded']>[0]): void {
    this.#metrics.counter('handfast_sessions_ended_total').inc({ cause })
  }

  packetDenied(code: Parameters<Observer['packetDenied']>[0]): void {
    this.#metrics.counter('handfast_packets_denied_total').inc({ code })
  }

  shadowDiffered(action: Parameters<Observer['shadowDiffered']>[0], would: 'allow' | 'deny'): void {
    this.#metrics.counter('handfast_policy_shadow_differences_total').inc({ action, would })
  }

  issuance(profile: string, outcome: Parameters<Observer['issuance']>[1]): void {
    this.#metrics.counter('handfast_issuances_total').inc({ profile, outcome })
  }

  enrolmentRefused(code: Parameters<Observer['enrolmentRefused']>[0]): void {
    this.#metrics.counter('handfast_enrolments_refused_total').inc({ code })
  }

  renewal(profile: string, outcome: Parameters<Observer['renewal']>[1]): void {
    this.#metrics.counter('handfast_renewals_total').inc({ profile, outcome })
  }

  renewalContested(profile: string): void {
    this.#metrics.counter('handfast_renewals_contested_total').inc({ profile })
  }

  revocationApplied(target: string, afterMs: number): void {
    // A clock that was set back must not take seconds away from the sum.
    this.#metrics.histogram('handfast_revocation_latency_seconds').observe({ target }, Math.max(0, afterMs) / 1000)
  }

  actRefused(act: Parameters<Observer['actRefused']>[0], reason: Parameters<Observer['actRefused']>[1]): void {
    this.#metrics.counter('handfast_acts_refused_total').inc({ act, reason })
  }

  committed(units: number, durationMs: number): void {
    this.#metrics.histogram('handfast_registry_commit_duration_seconds').observe(durationMs / 1000)
    this.#metrics.histogram('handfast_registry_writes_per_commit').observe(units)
  }

  writesRefused(units: number, reason: Parameters<Observer['writesRefused']>[1]): void {
    this.#metrics.counter('handfast_registry_writes_refused_total').inc({ reason }, units)
  }

  /** Series that a rule asks the increase of must be there before the first event. */
  #showZeros(): void {
    const zero = <Label extends string>(
      counter: { inc(labels: Partial<Record<Label, string>>, value: number): void },
      labels: readonly Partial<Record<Label, string>>[],
    ): void => {
      for (const each of labels) counter.inc(each, 0)
    }
    const profiles = ['device', 'server']
    const each = (outcomes: readonly string[]) =>
      profiles.flatMap((profile) => outcomes.map((outcome) => ({ profile, outcome })))
    const reasons = ['database', 'queue-full', 'closed'].map((reason) => ({ reason }))
    zero(this.#metrics.counter('handfast_issuances_total'), each(['issued', 'repeated', 'refused', 'failed']))
    zero(this.#metrics.counter('handfast_renewals_total'), each(['renewed', 'refused', 'failed']))
    zero(
      this.#metrics.counter('handfast_renewals_contested_total'),
      profiles.map((profile) => ({ profile })),
    )
    zero(this.#metrics.counter('handfast_registry_writes_refused_total'), reasons)
    for (const target of ['gate', 'crl'])
      this.#metrics.histogram('handfast_revocation_latency_seconds').zero({ target })
  }

  #show(figures: HubFigures): void {
    this.#showGate(figures.gate)
    this.#showCertificates(figures)
    this.#showReadiness(figures)
    this.#showFollowers(figures)
    this.#showCounts(figures.counts)
    this.#showIncidents(figures.incidents)
    this.#metrics.gauge('handfast_registry_writes_waiting').set(figures.writesWaiting)
    this.#metrics.gauge('handfast_journal_up').set(figures.isJournaling ? 1 : 0)
    this.#metrics.gauge('handfast_broker_up').set(figures.broker.isUp ? 1 : 0)
    const restarts = this.#metrics.counter('handfast_broker_restarts_total')
    restarts.reset()
    restarts.inc(figures.broker.restarts)
  }

  #showGate(gate: GateFigures): void {
    this.#metrics.gauge('handfast_sessions').set(gate.sessions)
    this.#metrics.gauge('handfast_connections_half_open').set(gate.halfOpen)
    const accepted = this.#metrics.counter('handfast_connections_accepted_total')
    accepted.reset()
    accepted.inc(gate.connectionsAccepted)
    const packets = this.#metrics.counter('handfast_mqtt_packets_total')
    packets.reset()
    packets.inc({ direction: 'from_client' }, gate.packetsFromClients)
    packets.inc({ direction: 'to_client' }, gate.packetsToClients)
    const bytes = this.#metrics.counter('handfast_mqtt_bytes_total')
    bytes.reset()
    bytes.inc({ direction: 'from_client' }, gate.bytesFromClients)
    bytes.inc({ direction: 'to_client' }, gate.bytesToClients)
  }

  #showCertificates({ authorities, serverNotAfterSec }: HubFigures): void {
    this.#metrics.gauge('handfast_server_certificate_not_after_timestamp_seconds').set(serverNotAfterSec)
    const thisUpdate = this.#metrics.gauge('handfast_crl_this_update_timestamp_seconds')
    const nextUpdate = this.#metrics.gauge('handfast_crl_next_update_timestamp_seconds')
    for (const { id: authority, role, notAfterSec, crl } of authorities) {
      this.#metrics.gauge('handfast_authority_not_after_timestamp_seconds').set({ authority, role }, notAfterSec)
      if (crl === null) continue
      thisUpdate.set({ authority }, Math.floor(crl.thisUpdateMs / 1000))
      nextUpdate.set({ authority }, Math.floor(crl.nextUpdateMs / 1000))
    }
  }

  #showReadiness({ readiness }: HubFigures): void {
    this.#metrics.gauge('handfast_ready').set(readiness.isReady ? 1 : 0)
    const present = new Set(readiness.reasons.map(({ code }) => code))
    for (const code of readinessCodes) {
      this.#metrics.gauge('handfast_not_ready_reason').set({ code }, present.has(code) ? 1 : 0)
    }
  }

  /** What the registry does not tell is not shown, rather than shown as it was. */
  #showFollowers({ followers, revocationsWaitingMs }: HubFigures): void {
    const unhandled = this.#metrics.gauge('handfast_events_unhandled')
    const oldest = this.#metrics.gauge('handfast_events_oldest_unhandled_seconds')
    unhandled.reset()
    oldest.reset()
    for (const each of followers ?? []) {
      unhandled.set({ follower: each.name }, each.unhandled)
      oldest.set({ follower: each.name }, each.oldestUnhandledMs / 1000)
    }
    const waiting = this.#metrics.gauge('handfast_revocation_waiting_seconds')
    waiting.reset()
    for (const [target, ms] of revocationsWaitingMs) if (ms !== null) waiting.set({ target }, ms / 1000)
  }

  #showIncidents(incidents: HubFigures['incidents']): void {
    const parties = this.#metrics.gauge('handfast_incident_parties')
    parties.reset()
    for (const { listener, code, parties: count } of incidents ?? []) parties.set({ listener, code }, count)
  }

  #showCounts(counts: RegistryCounts | null): void {
    const certificates = this.#metrics.gauge('handfast_certificates')
    const identities = this.#metrics.gauge('handfast_identities')
    certificates.reset()
    identities.reset()
    const countedAt = this.#metrics.gauge('handfast_registry_counted_timestamp_seconds')
    countedAt.remove()
    if (counts === null) return
    for (const { profile, state, remaining, count } of counts.certificates) {
      certificates.set({ profile, state, remaining }, count)
    }
    for (const [state, count] of counts.identities) identities.set({ state }, count)
    countedAt.set(Math.floor(counts.atMs / 1000))
  }
}
