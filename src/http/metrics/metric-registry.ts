/** prom-client with the metrics of this house, so that nobody counts under a name or label that does not exist. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type Definition, definitions, type LabelsOf, type MetricName, type NameOf } from './definitions.ts'

/** Ill-named metrics of prom-client, which also walk every open socket at each look. */
const unwanted = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
]

/** How often the delay of the event loop is sampled, in milliseconds. */
const loopSampleMs = 20

export class MetricRegistry {
  readonly #registry = new Registry()
  readonly #metrics = new Map<MetricName, Counter | Gauge | Histogram>()

  constructor() {
    for (const [name, definition] of Object.entries(definitions)) {
      this.#metrics.set(name as MetricName, make(this.#registry, name, definition))
    }
  }

  counter<Name extends NameOf<'counter'>>(name: Name): Counter<LabelsOf<Name>> {
    return this.#metrics.get(name) as Counter<LabelsOf<Name>>
  }

  gauge<Name extends NameOf<'gauge'>>(name: Name): Gauge<LabelsOf<Name>> {
    return this.#metrics.get(name) as Gauge<LabelsOf<Name>>
  }

  histogram<Name extends NameOf<'histogram'>>(name: Name): Histogram<LabelsOf<Name>> {
    return this.#metrics.get(name) as Histogram<LabelsOf<Name>>
  }

  /** Adds what prom-client knows of the process and of Node.js. It goes on until the process ends. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: loopSampleMs })
    for (const name of unwanted) this.#registry.removeSingleMetric(name)
  }

  /** Everything in the text format 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** What is registered, in order. */
  async describe(): Promise<readonly { readonly name: string; readonly type: string; readonly help: string }[]> {
    const metrics = await this.#registry.getMetricsAsJSON()
    return metrics.map(({ name, type, help }) => ({ name, type: String(type), help }))
  }
}

function make(registry: Registry, name: string, definition: Definition): Counter | Gauge | Histogram {
  const { help, labels = {}, buckets } = definition
  const common = { name, help, labelNames: Object.keys(labels), registers: [registry] }
  switch (definition.type) {
    case 'counter':
      return new Counter(common)
    case 'gauge':
      return new Gauge(common)
    case 'histogram':
      return new Histogram({ ...common, ...(buckets === undefined ? {} : { buckets: [...buckets] }) })
  }
}
