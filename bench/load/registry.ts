/** What people and tools ask the registry for. Each answer is looked at: a page that lacks a device is a failure. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ImportLine } from '../../src/api-schema/bulk.ts'
import type { BootstrapView, DeviceDetailView, DeviceView, PageView } from '../../src/api-schema/views.ts'
import { endedChildrenCpuMicros } from '../processes.ts'
import { launcher } from '../repository.ts'
import { withApi } from './api-caller.ts'
import { many } from './many.ts'
import type { Tasks } from './tasks.ts'

export function registerMany({
  data,
  prefix,
  count,
  atOnce,
}: Tasks['register']['request']): Promise<Tasks['register']['answer']> {
  return withApi(data, atOnce, async (api) => {
    const seconds = await many(count, atOnce, async (index) => {
      const asked = newDevice(prefix, index)
      const { device } = await api.post<BootstrapView>('/devices', asked)
      if (device.id !== asked.id) throw new Error(`asked for ${asked.id}, got ${device.id}`)
    })
    return { seconds }
  })
}

export function importMany({
  data,
  prefix,
  count,
  withTokens,
}: Tasks['importDevices']['request']): Promise<Tasks['importDevices']['answer']> {
  const rows = Array.from({ length: count }, (_, index) => newDevice(prefix, index))
  return withApi(data, 1, async (api) => {
    const seconds = await many(1, 1, async () => {
      const lines = await api.postLines<ImportLine>(`/devices/import?tokens=${withTokens}`, rows)
      const last = lines.at(-1)
      if (last === undefined || !('summary' in last) || last.summary.created !== count) {
        throw new Error(`the import ended with ${JSON.stringify(last)}`)
      }
      const strings = lines.filter((line) => 'bootstrap' in line && line.bootstrap !== undefined).length
      if (strings !== (withTokens ? count : 0)) throw new Error(`the import brought ${strings} bootstrap strings`)
    })
    return { seconds }
  })
}

function newDevice(prefix: string, index: number) {
  return { id: `${prefix}-${index}`, group: prefix, attributes: { line: '7' } }
}

export function listPages({
  data,
  limit,
  pages,
  groups,
}: Tasks['listPages']['request']): Promise<Tasks['listPages']['answer']> {
  return withApi(data, 1, async (api) => {
    let rows = 0
    let after: string | null = null
    let place = 0
    const seconds = await many(pages, 1, async () => {
      const group = groups === null ? undefined : groups[place % groups.length]
      const query = new URLSearchParams({ limit: String(limit) })
      if (after !== null) query.set('after', after)
      if (group !== undefined) query.set('group', group)
      const page: PageView<DeviceView> = await api.get(`/devices?${query}`)
      if (page.next !== null && page.items.length !== limit) throw new Error(`a page of ${page.items.length} devices`)
      if (group !== undefined && page.items.some((device) => device.group !== group)) {
        throw new Error(`a page of the group ${group} holds a device of another`)
      }
      rows += page.items.length
      after = page.next
      if (after === null) place += 1
    })
    return { seconds, rows }
  })
}

export function showDevices({
  data,
  ids,
  count,
  atOnce,
}: Tasks['showDevices']['request']): Promise<Tasks['showDevices']['answer']> {
  return withApi(data, atOnce, async (api) => {
    const seconds = await many(count, atOnce, async (index) => {
      const id = ids[index % ids.length] ?? ''
      const { device, credentials } = await api.get<DeviceDetailView>(`/devices/${id}`)
      if (device.id !== id || credentials.length !== 1) throw new Error(`${id} is not shown with its certificate`)
    })
    return { seconds }
  })
}

export async function showByCommand({
  data,
  ids,
}: Tasks['showByCommand']['request']): Promise<Tasks['showByCommand']['answer']> {
  const before = endedChildrenCpuMicros()
  const seconds = await many(ids.length, 1, async (index) => {
    const args = [launcher, 'device', 'show', ids[index] ?? '', '--data', data]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 60_000 })
    const [status] = await once(child, 'exit')
    if (status !== 0) throw new Error(`handfast device show ended with ${status}`)
  })
  return { seconds, cpuMicros: endedChildrenCpuMicros() - before }
}
