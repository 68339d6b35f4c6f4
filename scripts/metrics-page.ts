/** docs/metrics.md, from the metrics that a hub registers. */
import { type Definition, definitions } from '../src/http/metrics/definitions.ts'
import { MetricRegistry } from '../src/http/metrics/metric-registry.ts'

export async function metricsPage(): Promise<string> {
  const own: readonly [string, Definition][] = Object.entries(definitions)
  return `# Metrics

A hub that is started with \`--metrics-listen 127.0.0.1:9464\` serves \`/metrics\` there in the text format of Prometheus,
over plain HTTP and without a password: keep it on the loopback address, or behind something that knows who asks. The same
address answers \`/healthz\` and \`/readyz\`, the latter with every reason.

\`deploy/prometheus\` holds an example configuration and alert rules, \`deploy/grafana/handfast.json\` a dashboard.

No label ever holds an id of a device, an address or free text: who was refused stands in \`handfast attempts\`.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
${own.map(([name, definition]) => row(name, definition)).join('\n')}

Histograms end in \`_bucket\`, \`_sum\` and \`_count\`. Certificates and identities are counted at most once a minute. Several
hubs that share a registry each show the whole of it: take \`max\`, not \`sum\`, over instances.

## Of the process

These come from [prom-client](https://github.com/siimon/prom-client), under the names that Prometheus clients share.

| metric | type | meaning |
| --- | --- | --- |
${(await processRows()).join('\n')}

This page is written by \`node scripts/write-reference-pages.ts\` from \`src/http/metrics\`.
`
}

function row(name: string, { type, help, labels = {} }: Definition): string {
  const named = Object.entries(labels).map(([label, meaning]) => `\`${label}\`: ${meaning}`)
  return `| \`${name}\` | ${type} | ${named.map(cell).join('<br>') || '–'} | ${cell(help)} |`
}

async function processRows(): Promise<readonly string[]> {
  const registry = new MetricRegistry()
  registry.watchProcess()
  const all = await registry.describe()
  return all
    .filter(({ name }) => !Object.hasOwn(definitions, name))
    .map(({ name, type, help }) => `| \`${name}\` | ${type} | ${cell(help)} |`)
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
