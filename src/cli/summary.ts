/** Counts and sizes as people read them. */

/** `1 device`, `2 devices`. */
export function amount(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
}

/** What matters of the rows of a backup. */
export function rowsOf(rows: ReadonlyMap<string, number>): string {
  const of = (section: string): number => rows.get(section) ?? 0
  return [
    amount(of('identities'), 'identity').replace(/identitys$/, 'identities'),
    amount(of('credentials'), 'certificate'),
    amount(of('audit'), 'audit entry').replace(/entrys$/, 'entries'),
    amount(of('@keys'), 'key file'),
  ].join(', ')
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function byteText(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1]
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
