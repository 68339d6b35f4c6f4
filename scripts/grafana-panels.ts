/** What stands on the dashboard of a hub, panel by panel; grafana-dashboard.ts lays it out. */

/** One question to Prometheus. */
interface Query {
  readonly expr: string
  /** How its lines are named; labels as in `{{code}}`. */
  readonly legend: string
}

export interface Panel {
  readonly title: string
  readonly description: string
  /** A stat shows the newest value, a bar gauge one bar for each series. */
  readonly type: 'timeseries' | 'stat' | 'bargauge'
  /** As Grafana names units. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** Of 24 columns. */
  readonly width: number
  /** Words for values. */
  readonly words?: Readonly<Record<string, string>>
  /** Lines are stacked, to show a whole and its parts. */
  readonly isStacked?: true
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** The series of the hubs that were chosen above. */
const chosen = 'job="$job", instance=~"$instance"'

function series(name: string, more = ''): string {
  return `${name}{${chosen}${more === '' ? '' : `, ${more}`}}`
}

function perSecond(by: string, name: string, more = ''): string {
  return `sum by (${by}) (rate(${series(name, more)}[$__rate_interval]))`
}

function quantile(rank: number, name: string, by = ''): string {
  return `histogram_quantile(${rank}, sum by (${by}le) (rate(${series(`${name}_bucket`)}[$__rate_interval])))`
}

const yesNo = { '1': 'yes', '0': 'no' }

export const rows: readonly Row[] = [
  {
    title: 'Connections',
    panels: [
      {
        title: 'Ready',
        description: 'Whether every hub can do its work. The reasons are on /readyz of the metrics address.',
        ...{ type: 'stat', unit: 'none', width: 4, words: yesNo },
        queries: [{ expr: `min(${series('handfast_ready')})`, legend: 'ready' }],
      },
      {
        title: 'Broker up',
        description: 'Whether the broker behind the gate can serve.',
        ...{ type: 'stat', unit: 'none', width: 4, words: yesNo },
        queries: [{ expr: `min(${series('handfast_broker_up')})`, legend: 'up' }],
      },
      {
        title: 'Sessions',
        description: 'Live MQTT sessions.',
        ...{ type: 'stat', unit: 'short', width: 4 },
        queries: [{ expr: `sum(${series('handfast_sessions')})`, legend: 'sessions' }],
      },
      {
        title: 'Why a hub is not ready',
        description: 'Empty while all are ready. docs/failures.md explains each code.',
        ...{ type: 'timeseries', unit: 'none', width: 12 },
        queries: [{ expr: `${series('handfast_not_ready_reason')} == 1`, legend: '{{instance}} {{code}}' }],
      },
      {
        title: 'Sessions and connections on their way',
        description:
          'Half-open connections have not sent their CONNECT. A rising line of them is a flood or a slow network.',
        ...{ type: 'timeseries', unit: 'short', width: 12 },
        queries: [
          { expr: series('handfast_sessions'), legend: 'sessions, {{instance}}' },
          { expr: series('handfast_connections_half_open'), legend: 'half-open, {{instance}}' },
        ],
      },
      {
        title: 'Connections',
        description: 'TCP connections accepted, and those that became a session.',
        ...{ type: 'timeseries', unit: 'cps', width: 12 },
        queries: [
          { expr: perSecond('instance', 'handfast_connections_accepted_total'), legend: 'accepted, {{instance}}' },
          {
            expr: perSecond('instance', 'handfast_attempts_total', 'outcome="admitted"'),
            legend: 'admitted, {{instance}}',
          },
        ],
      },
      {
        title: 'Sessions that ended, by cause',
        description:
          'client-disconnect is the good end. Many connection-lost or keep-alive-timeout point to the network.',
        ...{ type: 'timeseries', unit: 'cps', width: 8, isStacked: true },
        queries: [{ expr: perSecond('cause', 'handfast_sessions_ended_total'), legend: '{{cause}}' }],
      },
      {
        title: 'MQTT packets',
        description: 'Packets of sessions, by direction.',
        ...{ type: 'timeseries', unit: 'pps', width: 8 },
        queries: [{ expr: perSecond('direction', 'handfast_mqtt_packets_total'), legend: '{{direction}}' }],
      },
      {
        title: 'MQTT traffic',
        description: 'Bytes of MQTT packets of sessions, by direction, before TLS.',
        ...{ type: 'timeseries', unit: 'Bps', width: 8 },
        queries: [{ expr: perSecond('direction', 'handfast_mqtt_bytes_total'), legend: '{{direction}}' }],
      },
    ],
  },
  {
    title: 'Refusals by cause',
    panels: [
      {
        title: 'Refusals, by code',
        description:
          'Tries to connect or enrol that were refused, and sessions that the hub ended. docs/failures.md explains each code.',
        ...{ type: 'timeseries', unit: 'cps', width: 12, isStacked: true },
        queries: [{ expr: perSecond('code', 'handfast_attempts_total', 'outcome="refused"'), legend: '{{code}}' }],
      },
      {
        title: 'How far they came',
        description:
          'The stage that ended refused attempts: tls and before are mostly strangers, certificate and identity our own devices.',
        ...{ type: 'timeseries', unit: 'cps', width: 12, isStacked: true },
        queries: [{ expr: perSecond('stage', 'handfast_attempts_total', 'outcome="refused"'), legend: '{{stage}}' }],
      },
      {
        title: 'Most frequent in this time',
        description: 'The ten codes with the most refusals in the time that is shown.',
        ...{ type: 'bargauge', unit: 'short', width: 12 },
        queries: [
          {
            expr: `topk(10, sum by (code) (increase(${series('handfast_attempts_total', 'outcome="refused"')}[$__range])))`,
            legend: '{{code}}',
          },
        ],
      },
      {
        title: 'Kept out by incidents',
        description:
          'Devices, unknown certificates and networks that one cause keeps out of one listener, where they are several.',
        ...{ type: 'timeseries', unit: 'short', width: 12, isStacked: true },
        queries: [
          { expr: `max by (listener, code) (${series('handfast_incident_parties')})`, legend: '{{listener}} {{code}}' },
        ],
      },
      {
        title: 'Attempts that were not kept one by one',
        description: 'More than 2,000 attempts a second, or a registry that does not take them: a flood.',
        ...{ type: 'timeseries', unit: 'cps', width: 12 },
        queries: [{ expr: perSecond('instance', 'handfast_attempts_unrecorded_total'), legend: '{{instance}}' }],
      },
    ],
  },
  {
    title: 'Issuance and expiry',
    panels: [
      {
        title: 'Active device certificates by the time that they have left',
        description:
          'Device certificates live ten days. Those under three days should have been renewed; expired ones cannot come in.',
        ...{ type: 'bargauge', unit: 'short', width: 12 },
        queries: [
          {
            expr: `max by (remaining) (${series('handfast_certificates', 'profile="device", state="active"')})`,
            legend: '{{remaining}}',
          },
        ],
      },
      {
        title: 'Identities',
        description: "Identities in the registry by state, without the hub's own.",
        ...{ type: 'timeseries', unit: 'short', width: 12 },
        queries: [{ expr: `max by (state) (${series('handfast_identities')})`, legend: '{{state}}' }],
      },
      {
        title: 'Requests for certificates',
        description:
          'By profile and outcome. repeated is the same answer again, after a lost one; failed is a fault of the hub.',
        ...{ type: 'timeseries', unit: 'cps', width: 8 },
        queries: [
          { expr: perSecond('profile, outcome', 'handfast_issuances_total'), legend: '{{profile}} {{outcome}}' },
        ],
      },
      {
        title: 'Enrolments refused, by code',
        description: 'Tokens and requests that do not hold. docs/failures.md explains each code.',
        ...{ type: 'timeseries', unit: 'cps', width: 8 },
        queries: [{ expr: perSecond('code', 'handfast_enrolments_refused_total'), legend: '{{code}}' }],
      },
      {
        title: 'Renewals',
        description: 'Certificates that replaced an earlier one of the same identity.',
        ...{ type: 'timeseries', unit: 'cps', width: 8 },
        queries: [
          { expr: perSecond('profile, outcome', 'handfast_renewals_total'), legend: '{{profile}} {{outcome}}' },
          { expr: perSecond('profile', 'handfast_renewals_contested_total'), legend: '{{profile}} contested' },
        ],
      },
    ],
  },
  {
    title: 'Revocation',
    panels: [
      {
        title: 'From the act to its effect',
        description:
          'Time from a revocation until a target has applied it: gate closes sessions, crl is in a published CRL. Half and 99 of 100.',
        ...{ type: 'timeseries', unit: 's', width: 12 },
        queries: [
          { expr: quantile(0.5, 'handfast_revocation_latency_seconds', 'target, '), legend: '{{target}}, half' },
          { expr: quantile(0.99, 'handfast_revocation_latency_seconds', 'target, '), legend: '{{target}}, 99 %' },
        ],
      },
      {
        title: 'Revocations applied',
        description: 'How many a second each target has applied.',
        ...{ type: 'timeseries', unit: 'cps', width: 6 },
        queries: [{ expr: perSecond('target', 'handfast_revocation_latency_seconds_count'), legend: '{{target}}' }],
      },
      {
        title: 'The oldest that waits',
        description:
          'Age of the oldest revocation that a target has not applied. It should be 0, or a second for CRLs.',
        ...{ type: 'timeseries', unit: 's', width: 6 },
        queries: [{ expr: `max by (target) (${series('handfast_revocation_waiting_seconds')})`, legend: '{{target}}' }],
      },
    ],
  },
  {
    title: 'Registry and events',
    panels: [
      {
        title: 'Commits',
        description: 'Transactions, and the units of work in them: writes that come together commit together.',
        ...{ type: 'timeseries', unit: 'cps', width: 8 },
        queries: [
          {
            expr: perSecond('instance', 'handfast_registry_commit_duration_seconds_count'),
            legend: 'commits, {{instance}}',
          },
          { expr: perSecond('instance', 'handfast_registry_writes_per_commit_sum'), legend: 'writes, {{instance}}' },
        ],
      },
      {
        title: 'Time of a commit',
        description: 'Until it is on disk. Half and 99 of 100.',
        ...{ type: 'timeseries', unit: 's', width: 8 },
        queries: [
          { expr: quantile(0.5, 'handfast_registry_commit_duration_seconds'), legend: 'half' },
          { expr: quantile(0.99, 'handfast_registry_commit_duration_seconds'), legend: '99 %' },
        ],
      },
      {
        title: 'Writes that wait',
        description: 'Units of work that wait for a transaction. A rising line is a registry that cannot keep up.',
        ...{ type: 'timeseries', unit: 'short', width: 8 },
        queries: [{ expr: series('handfast_registry_writes_waiting'), legend: '{{instance}}' }],
      },
      {
        title: 'Writes refused',
        description:
          'Units of work that the registry did not take. Anything but 0 needs a look at disk, database and log.',
        ...{ type: 'timeseries', unit: 'short', width: 8 },
        queries: [
          {
            expr: `sum by (reason) (increase(${series('handfast_registry_writes_refused_total')}[$__rate_interval]))`,
            legend: '{{reason}}',
          },
        ],
      },
      {
        title: 'Events not handled',
        description: 'Events of the registry that a follower has not handled yet.',
        ...{ type: 'timeseries', unit: 'short', width: 8 },
        queries: [{ expr: series('handfast_events_unhandled'), legend: '{{follower}}, {{instance}}' }],
      },
      {
        title: 'Age of the oldest of them',
        description: 'How long what was revoked may still be connected.',
        ...{ type: 'timeseries', unit: 's', width: 8 },
        queries: [{ expr: series('handfast_events_oldest_unhandled_seconds'), legend: '{{follower}}, {{instance}}' }],
      },
      {
        title: 'Journal up',
        description: 'Whether the journal takes what is committed; nothing is acknowledged while it does not.',
        ...{ type: 'stat', unit: 'none', width: 4, words: yesNo },
        queries: [{ expr: `min(${series('handfast_journal_up')})`, legend: 'up' }],
      },
      {
        title: 'Event loop',
        description:
          'Delay of the event loop, 99 of 100 samples: how long everything waits. 20 ms of it is the sampling itself.',
        ...{ type: 'timeseries', unit: 's', width: 7 },
        queries: [{ expr: series('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
      },
      {
        title: 'Processor',
        description: 'Processor time of the hub, its broker included; 1 is one core.',
        ...{ type: 'timeseries', unit: 'short', width: 6 },
        queries: [{ expr: perSecond('instance', 'process_cpu_seconds_total'), legend: '{{instance}}' }],
      },
      {
        title: 'Memory',
        description: 'Resident memory of the hub, its broker included.',
        ...{ type: 'timeseries', unit: 'bytes', width: 7 },
        queries: [{ expr: series('process_resident_memory_bytes'), legend: '{{instance}}' }],
      },
    ],
  },
  {
    title: 'CRLs',
    panels: [
      {
        title: 'Age of the CRL',
        description: 'A new one is made after every revocation, and after 12 hours without one.',
        ...{ type: 'timeseries', unit: 's', width: 8 },
        queries: [
          {
            expr: `time() - max by (authority) (${series('handfast_crl_this_update_timestamp_seconds')})`,
            legend: '{{authority}}',
          },
        ],
      },
      {
        title: 'Until the CRL ends',
        description: 'Whoever checks it refuses every certificate of the authority from then on.',
        ...{ type: 'timeseries', unit: 's', width: 8 },
        queries: [
          {
            expr: `max by (authority) (${series('handfast_crl_next_update_timestamp_seconds')}) - time()`,
            legend: '{{authority}}',
          },
        ],
      },
      {
        title: 'Until certificates of the hub end',
        description: 'Of the authorities, and of the listeners, which is renewed ten days before.',
        ...{ type: 'stat', unit: 's', width: 8 },
        queries: [
          {
            expr: `min by (authority) (${series('handfast_authority_not_after_timestamp_seconds')}) - time()`,
            legend: '{{authority}}',
          },
          {
            expr: `${series('handfast_server_certificate_not_after_timestamp_seconds')} - time()`,
            legend: 'listeners, {{instance}}',
          },
        ],
      },
    ],
  },
]
