/**
 * Every metric of a hub: name, type, meaning and labels. docs/metrics.md is written from it. Names follow the conventions of
 * Prometheus; no label ever holds an id, an address or free text, so that the number of series is bounded.
 */

export interface Definition {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** What each label says. */
  readonly labels?: Readonly<Record<string, string>>
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[]
}

const direction = 'from_client or to_client'
const profile = 'profile of the certificate, as `handfast profile list` has them'
const authority = 'id of the authority'
const code = 'failure, as in docs/failures.md'
const listener =
  'mqtt or another listener by its name, with @ and the gate behind it where that is on another machine; est, api, gate-link'

export const definitions = {
  handfast_build_info: {
    type: 'gauge',
    help: '1, with the version of the hub',
    labels: { version: 'version of Handfast' },
  },

  handfast_connections_accepted_total: { type: 'counter', help: 'TCP connections that the MQTT listener accepted' },
  handfast_connections_half_open: { type: 'gauge', help: 'MQTT connections between accept and CONNECT' },
  handfast_sessions: { type: 'gauge', help: 'live MQTT sessions: those that had their CONNACK' },
  handfast_sessions_ended_total: {
    type: 'counter',
    help: 'MQTT sessions that are over',
    labels: { cause: 'client-disconnect, or a failure, as in docs/failures.md' },
  },
  handfast_packets_denied_total: {
    type: 'counter',
    help: 'packets of MQTT sessions that the policy denied while the session went on',
    labels: { code },
  },
  handfast_policy_shadow_differences_total: {
    type: 'counter',
    help: 'decisions that the version of the policy in the shadow would have made otherwise',
    labels: {
      action: 'connect, publish, subscribe, receive, retain or will',
      would: 'allow or deny: what it would have done',
    },
  },
  handfast_mqtt_packets_total: {
    type: 'counter',
    help: 'MQTT packets of sessions, from their CONNACK on',
    labels: { direction },
  },
  handfast_mqtt_bytes_total: {
    type: 'counter',
    help: 'bytes of MQTT packets of sessions, from their CONNACK on',
    labels: { direction },
  },

  handfast_attempts_total: {
    type: 'counter',
    help: 'tries to connect or to enrol that came to an outcome, and sessions that the hub ended',
    labels: {
      listener,
      outcome: 'admitted or refused',
      stage: 'how far it came: tcp, tls, certificate, identity, policy, mqtt, session, enrolment',
      code: `none, or the ${code}`,
    },
  },
  handfast_attempts_unrecorded_total: {
    type: 'counter',
    help: 'attempts that were counted and not kept one by one, because there were too many',
  },
  handfast_incident_parties: {
    type: 'gauge',
    help: 'devices, unknown certificates and networks that one cause keeps from connecting, where they are several: an incident',
    labels: { listener, code },
  },

  handfast_issuances_total: {
    type: 'counter',
    help: 'requests for a certificate',
    labels: {
      profile,
      outcome:
        'issued; repeated: the answer was given before; refused: for a fault of the request; failed: for one of ours',
    },
  },
  handfast_enrolments_refused_total: {
    type: 'counter',
    help: 'requests to enrol that were not answered with a certificate',
    labels: { code },
  },
  handfast_renewals_total: {
    type: 'counter',
    help: 'certificates that replace an earlier one of the same identity',
    labels: { profile, outcome: 'renewed, refused or failed' },
  },
  handfast_renewals_contested_total: {
    type: 'counter',
    help: 'renewals for which two keys asked: the owner and a thief may both be renewing',
    labels: { profile },
  },
  handfast_certificates: {
    type: 'gauge',
    help: 'certificates by the time that they have left; without those that a newer one has superseded',
    labels: {
      profile,
      state: 'pending: not used yet; active',
      remaining:
        'expired, under_1d, under_3d, under_7d, under_14d, under_30d, under_90d, over_90d; each excludes those before',
    },
  },
  handfast_identities: {
    type: 'gauge',
    help: "identities in the registry, without the hub's own",
    labels: { state: 'pending, active, disabled or retired' },
  },
  handfast_registry_counted_timestamp_seconds: {
    type: 'gauge',
    help: 'when certificates and identities were counted last, in unix time',
  },

  handfast_revocation_latency_seconds: {
    type: 'histogram',
    help: 'time from the act of revoking a certificate until a target has applied it',
    labels: { target: 'gate: its sessions are closed; crl: a published CRL holds it' },
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
  },
  handfast_revocation_waiting_seconds: {
    type: 'gauge',
    help: 'age of the oldest revocation that a target has not applied; 0 when there is none',
    labels: { target: 'gate or crl' },
  },

  handfast_acts_refused_total: {
    type: 'counter',
    help: 'acts of the admin API that were asked for by somebody who is known and may not do them',
    labels: {
      act: 'what was asked for, as in docs/roles.md',
      reason:
        "role: no role of theirs has the act; foreign: its target is in somebody else's group; group: they named a group that is not theirs; exceeds: it would give more than they may",
    },
  },

  handfast_registry_writes_waiting: { type: 'gauge', help: 'units of work that wait for a transaction' },
  handfast_registry_commit_duration_seconds: {
    type: 'histogram',
    help: 'time of a transaction, from its begin until it is on disk',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  handfast_registry_writes_per_commit: {
    type: 'histogram',
    help: 'units of work that shared one transaction',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  handfast_registry_writes_refused_total: {
    type: 'counter',
    help: 'units of work that the registry did not take',
    labels: { reason: 'database: it refused the transaction; queue-full; closed' },
  },
  handfast_journal_up: { type: 'gauge', help: '1 while the journal takes what is committed, else 0' },
  handfast_events_unhandled: {
    type: 'gauge',
    help: 'events of the registry that a follower has not handled',
    labels: { follower: 'gate: closes sessions and asks for CRLs' },
  },
  handfast_events_oldest_unhandled_seconds: {
    type: 'gauge',
    help: 'age of the oldest event that a follower has not handled; 0 when there is none',
    labels: { follower: 'gate: closes sessions and asks for CRLs' },
  },

  handfast_crl_this_update_timestamp_seconds: {
    type: 'gauge',
    help: 'when the published CRL was made (five minutes are put back for slow clocks), in unix time',
    labels: { authority },
  },
  handfast_crl_next_update_timestamp_seconds: {
    type: 'gauge',
    help: 'when the published CRL ends, in unix time',
    labels: { authority },
  },
  handfast_authority_not_after_timestamp_seconds: {
    type: 'gauge',
    help: 'last good second of the certificate of an authority, in unix time',
    labels: { authority, role: 'root or issuing' },
  },
  handfast_server_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    help: 'last good second of the certificate that the listeners use, in unix time',
  },

  handfast_broker_up: { type: 'gauge', help: '1 while the broker behind the gate can serve, else 0' },
  handfast_broker_restarts_total: {
    type: 'counter',
    help: 'times that the broker was started again after it had ended by itself',
  },

  handfast_ready: { type: 'gauge', help: '1 while /readyz says ready, else 0' },
  handfast_not_ready_reason: {
    type: 'gauge',
    help: '1 for each reason why /readyz says not ready, 0 for the others',
    labels: { code },
  },
} as const satisfies Record<string, Definition>

export type MetricName = keyof typeof definitions

/** The metrics of one type. */
export type NameOf<Type extends Definition['type']> = {
  [Name in MetricName]: (typeof definitions)[Name] extends { readonly type: Type } ? Name : never
}[MetricName]

/** The labels of a metric. */
export type LabelsOf<Name extends MetricName> = (typeof definitions)[Name] extends { readonly labels: infer Labels }
  ? keyof Labels & string
  : never
