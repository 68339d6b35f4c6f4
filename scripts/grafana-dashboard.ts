/**
 * The dashboard of a hub for Grafana, deploy/grafana/handfast.json: the panels of grafana-panels.ts, as Grafana wants them.
 * `node scripts/write-reference-pages.ts` writes it.
 */
import { type Panel, rows } from './grafana-panels.ts'

const datasource = { type: 'prometheus', uid: '$datasource' }
const panelHeight = 8
const columns = 24

/** The dashboard as Grafana imports it. */
export function grafanaDashboard(): string {
  const dashboard = {
    title: 'Handfast',
    uid: 'handfast',
    description: 'A device identity hub: connections, refusals, certificates, revocation, registry, CRLs.',
    tags: ['handfast', 'mqtt'],
    ...{ schemaVersion: 39, version: 1, editable: true, graphTooltip: 1 },
    time: { from: 'now-6h', to: 'now' },
    refresh: '30s',
    templating: { list: variables() },
    annotations: { list: [] },
    panels: panels(),
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

function variables(): readonly unknown[] {
  const chosenFrom = (name: string, label: string, query: string, many: boolean): unknown => ({
    ...{ name, label, type: 'query', datasource, refresh: 2, sort: 1 },
    query: { query, refId: name },
    definition: query,
    ...(many ? { multi: true, includeAll: true, allValue: '.*', current: { text: 'All', value: '$__all' } } : {}),
  })
  return [
    { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
    chosenFrom('job', 'Job', 'label_values(handfast_build_info, job)', false),
    chosenFrom('instance', 'Hub', 'label_values(handfast_build_info{job="$job"}, instance)', true),
  ]
}

/** Rows below each other, their panels from left to right. */
function panels(): readonly unknown[] {
  const placed: unknown[] = []
  let y = 0
  let id = 0
  for (const { title, panels: inRow } of rows) {
    placed.push({ id: ++id, type: 'row', title, collapsed: false, gridPos: { h: 1, w: columns, x: 0, y }, panels: [] })
    y += 1
    let x = 0
    for (const panel of inRow) {
      if (x + panel.width > columns) {
        x = 0
        y += panelHeight
      }
      placed.push(panelOf(panel, ++id, { h: panelHeight, w: panel.width, x, y }))
      x += panel.width
    }
    y += panelHeight
  }
  return placed
}

function panelOf(panel: Panel, id: number, gridPos: object): unknown {
  const { title, description, type, unit, words, queries } = panel
  const targets = queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode(65 + index),
    ...{ datasource, expr, legendFormat: legend },
    ...(type === 'timeseries' ? {} : { instant: true }),
  }))
  return { id, type, title, description, datasource, gridPos, targets, ...look(type, unit, words, panel.isStacked) }
}

function look(type: Panel['type'], unit: string, words: Panel['words'], isStacked: true | undefined): object {
  const options = Object.fromEntries(Object.entries(words ?? {}).map(([value, text]) => [value, { text }]))
  const mappings = words === undefined ? [] : [{ type: 'value', options }]
  const calcs = ['lastNotNull']
  switch (type) {
    case 'timeseries':
      return {
        fieldConfig: {
          defaults: {
            ...{ unit, min: 0, mappings },
            custom: {
              fillOpacity: 10,
              showPoints: 'never',
              stacking: { mode: isStacked === true ? 'normal' : 'none' },
            },
          },
          overrides: [],
        },
        options: {
          legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
          tooltip: { mode: 'multi', sort: 'desc' },
        },
      }
    case 'stat':
      return {
        fieldConfig: { defaults: { unit, mappings }, overrides: [] },
        options: { colorMode: 'none', graphMode: 'none', reduceOptions: { calcs, fields: '', values: false } },
      }
    case 'bargauge':
      return {
        fieldConfig: { defaults: { unit, min: 0, mappings }, overrides: [] },
        options: {
          displayMode: 'basic',
          orientation: 'horizontal',
          reduceOptions: { calcs, fields: '', values: false },
        },
      }
  }
}
